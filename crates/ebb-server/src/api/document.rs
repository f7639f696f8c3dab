//! The `OpenAPI` document: what the handlers say of themselves, and what is true of all of them.

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::ROOT;
use crate::refusal::ProblemDocument;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ebb",
        description = "Everything that the pages do, for programs.\n\nSend an API token as \
            `Authorization: Bearer TOKEN`. What is refused is answered by a problem document (RFC 9457) with \
            a stable code; `/help/CODE` explains each.",
    ),
    components(schemas(ProblemDocument, super::progress::ProgressView)),
    tags(
        (name = "sources", description = "Warehouse connections"),
        (name = "models", description = "What is read of a source"),
        (name = "destinations", description = "Connections to tools"),
        (name = "mappings", description = "Which model goes to which destination"),
        (name = "syncs", description = "What ran, runs and is to run"),
        (name = "usage", description = "How many records destinations got"),
        (name = "apply", description = "A folder's configuration as a whole"),
        (name = "alerts", description = "What went wrong and was told"),
        (name = "alert_rules", description = "What is told"),
        (name = "channels", description = "Where it is told beside the page"),
        (name = "catalog", description = "Which kinds of sources and destinations there are"),
        (name = "people", description = "Who may use the server"),
        (name = "tokens", description = "What programs are known by"),
        (name = "audit", description = "Who changed what"),
        (name = "me", description = "Who asks"),
    )
)]
struct Beginning;

/// The document without operations.
pub(super) fn beginning() -> utoipa::openapi::OpenApi {
    Beginning::openapi()
}

/// The documents of project files by section: their schemas are those of the files.
const DOCUMENTS: [(&str, &str); 6] = [
    ("SourceDocument", "sources"),
    ("ModelDocument", "models"),
    ("DestinationDocument", "destinations"),
    ("MappingDocument", "mappings"),
    ("ChannelDocument", "channels"),
    ("AlertRuleDocument", "alert_rules"),
];

/// The methods that an operation may have.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The whole document: operations with their full paths, roles and refusals.
pub(super) fn finished(document: utoipa::openapi::OpenApi) -> Value {
    let mut document = serde_json::to_value(document).expect("a description has text keys alone");
    let files = ebb_core::config::schema().to_value();
    if let Some(schemas) =
        document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    {
        for (name, section) in DOCUMENTS {
            let path = format!("/properties/{section}/additionalProperties");
            if let Some(schema) = files.pointer(&path) {
                schemas.insert(name.to_owned(), schema.clone());
            }
        }
    }
    let paths = document.get_mut("paths").map(Value::take).unwrap_or_default();
    let mut whole = Map::new();
    for (path, mut item) in paths.as_object().cloned().unwrap_or_default() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) {
                complete(&path, method, operation);
            }
        }
        whole.insert(format!("{ROOT}{path}"), item);
    }
    let scheme = json!({ "token": { "type": "http", "scheme": "bearer" } });
    set(&mut document, "", "paths", whole.into());
    set(&mut document, "", "security", json!([{ "token": [] }]));
    set(&mut document, "/components", "securitySchemes", scheme);
    document
}

/// Sets a value of the object at a place.
fn set(document: &mut Value, place: &str, key: &str, value: Value) {
    if let Some(object) = document.pointer_mut(place).and_then(Value::as_object_mut) {
        object.insert(key.to_owned(), value);
    }
}

/// The role that an operation takes.
fn role(path: &str, method: &str) -> &'static str {
    if path.starts_with("/people") || path.starts_with("/audit") {
        "owner"
    } else if method == "get" {
        "viewer"
    } else {
        "editor"
    }
}

/// Says of an operation what no handler says of itself.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let tag = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or_default();
    let name = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
    let identity = format!("{tag}_{name}");
    set(operation, "", "operationId", identity.into());
    let role = role(path, method);
    set(operation, "", "x-role", role.into());
    let named = path.contains('{');
    let changes = method != "get";
    let brings = operation.get("requestBody").is_some();
    let versioned = ["put", "delete"].contains(&method)
        && DOCUMENTS.iter().any(|(_, section)| path == format!("/{section}/{{name}}"));
    let refusals = [
        ("400", "The request cannot be understood (A610)", true),
        ("401", "Nobody is known by what was sent (A601)", true),
        ("403", "The role does not allow it (A602)", changes || role != "viewer"),
        ("404", "There is no such thing (A609, R416)", named || changes),
        ("409", "It clashes with what is there or runs (A608, A611, A619, C505, R407)", changes),
        ("412", "Somebody else changed it meanwhile (A607)", versioned || path == "/apply"),
        ("413", "The body is too large (A618)", brings),
        ("422", "What was asked cannot be done; the code says why", named || changes),
        ("428", "`If-Match` is missing (A612)", versioned),
        ("503", "The control database cannot be used (R415)", true),
    ];
    for (status, description, answered) in refusals {
        if answered {
            let refusal = json!({
                "description": description,
                "content": { "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/ProblemDocument" },
                } },
            });
            set(operation, "/responses", status, refusal);
        }
    }
}
