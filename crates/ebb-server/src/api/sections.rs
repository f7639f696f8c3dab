//! The routes of the sections. They differ in their words and in the document's schema alone.

/// The module of a section: its document and the routes of its five operations.
macro_rules! section {
    (
        $module:ident, $section:ident, $document:ident, $about:literal,
        $tag:tt, $all:tt, $one:tt, $noun:literal
    ) => {
        pub(super) mod $module {
            use std::sync::Arc;

            use axum::{Json, extract::State, http::StatusCode, response::Response};
            use serde::{Deserialize, Serialize};
            use serde_json::{Map, Value};
            use utoipa::ToSchema;
            use utoipa_axum::{router::OpenApiRouter, routes};

            use crate::{
                access::Actor,
                api::{
                    entries::{self, Configured, New},
                    extract::{Body, Editor, IfMatch, Path, Query},
                    paging::{Page, Paging},
                },
                app::{App, Section},
                refusal::Refusal,
            };

            #[doc = $about]
            #[derive(Debug, Serialize, Deserialize, ToSchema)]
            #[serde(transparent)]
            #[schema(value_type = Object)]
            pub(crate) struct $document(Map<String, Value>);

            impl From<Map<String, Value>> for $document {
                fn from(document: Map<String, Value>) -> Self {
                    Self(document)
                }
            }

            impl From<$document> for Map<String, Value> {
                fn from(document: $document) -> Self {
                    document.0
                }
            }

            pub(in crate::api) fn router() -> OpenApiRouter<Arc<App>> {
                OpenApiRouter::new()
                    .routes(routes!(list, create))
                    .routes(routes!(get, replace, remove))
            }

            #[utoipa::path(get, path = $all, tag = $tag, params(Paging),
                summary = concat!("List every ", $noun),
                responses((status = 200, description = "By name", body = Page<Configured<$document>>)))]
            async fn list(
                State(app): State<Arc<App>>,
                _: Actor,
                Query(paging): Query<Paging>,
            ) -> Result<Json<Page<Configured<$document>>>, Refusal> {
                entries::list(&app, Section::$section, &paging)
            }

            #[utoipa::path(post, path = $all, tag = $tag, request_body = New<$document>,
                summary = concat!("Make a ", $noun),
                responses((status = 201, description = "Made", body = Configured<$document>,
                    headers(("ETag" = String, description = "Its version"),
                        ("Location" = String, description = "Its path")))))]
            async fn create(
                State(app): State<Arc<App>>,
                Editor(actor): Editor,
                Body(new): Body<New<$document>>,
            ) -> Result<Response, Refusal> {
                entries::create(&app, &actor, Section::$section, new).await
            }

            #[utoipa::path(get, path = $one, tag = $tag, params(("name" = String, Path)),
                summary = concat!("Read a ", $noun),
                responses((status = 200, description = "As it is", body = Configured<$document>,
                    headers(("ETag" = String, description = "Its version; absent for what comes from files")))))]
            async fn get(
                State(app): State<Arc<App>>,
                _: Actor,
                Path(name): Path<String>,
            ) -> Result<Response, Refusal> {
                entries::one::<$document>(&app, Section::$section, &name)
            }

            #[utoipa::path(put, path = $one, tag = $tag, request_body = $document,
                params(("name" = String, Path), ("If-Match" = String, Header,
                    description = "The `ETag` of the version that is replaced")),
                summary = concat!("Replace a ", $noun),
                description = "A secret that is left out of `settings` stays, but must be given again if a setting changes \
                    that decides where it is sent; `null` removes it.",
                responses((status = 200, description = "Replaced", body = Configured<$document>,
                    headers(("ETag" = String, description = "Its new version")))))]
            async fn replace(
                State(app): State<Arc<App>>,
                Editor(actor): Editor,
                Path(name): Path<String>,
                IfMatch(version): IfMatch,
                Body(document): Body<$document>,
            ) -> Result<Response, Refusal> {
                let change = (version, document);
                entries::replace(&app, &actor, Section::$section, name, change).await
            }

            #[utoipa::path(delete, path = $one, tag = $tag,
                params(("name" = String, Path), ("If-Match" = String, Header,
                    description = "The `ETag` of the version that is removed")),
                summary = concat!("Remove a ", $noun),
                responses((status = 204, description = "Removed")))]
            async fn remove(
                State(app): State<Arc<App>>,
                Editor(actor): Editor,
                Path(name): Path<String>,
                IfMatch(version): IfMatch,
            ) -> Result<StatusCode, Refusal> {
                entries::remove(&app, &actor, Section::$section, name, version).await
            }
        }
    };
}

section!(
    sources,
    Sources,
    SourceDocument,
    "A warehouse connection, as project files have it.",
    "sources",
    "/sources",
    "/sources/{name}",
    "source"
);
section!(
    models,
    Models,
    ModelDocument,
    "What is read of a source, as project files have it.",
    "models",
    "/models",
    "/models/{name}",
    "model"
);
section!(
    destinations,
    Destinations,
    DestinationDocument,
    "A connection to a tool, as project files have it.",
    "destinations",
    "/destinations",
    "/destinations/{name}",
    "destination"
);
section!(
    mappings,
    Mappings,
    MappingDocument,
    "Model to action, as project files have it.",
    "mappings",
    "/mappings",
    "/mappings/{name}",
    "mapping"
);
section!(
    channels,
    Channels,
    ChannelDocument,
    "A way to people outside the page, as project files have it.",
    "channels",
    "/channels",
    "/channels/{name}",
    "channel"
);
section!(
    alert_rules,
    AlertRules,
    AlertRuleDocument,
    "What people are told of without looking, as project files have it.",
    "alert_rules",
    "/alert_rules",
    "/alert_rules/{name}",
    "rule"
);
