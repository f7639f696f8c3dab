//! A project with everything it names connected: what commands work with.

use std::{path::Path, sync::Arc};

use ebb_core::{
    Code, Failure, Redactor, config,
    config::{Problem, Project},
    port::{Action, Clock, ModelQuery, Transport, Warehouse},
    suggest,
};
use ebb_destination::{Catalog, Connector, Network};
use ebb_engine::{Cause, Delivery, Engine, Job, Jobs, Mappings, Plan, Ports, Tuning};
use ebb_store::{Database, FolderParts};
use jiff::Timestamp;

use crate::project::{self, World};

/// The real time of day.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// An opened project.
pub struct Workspace {
    /// The project with its secrets: for connecting, never for keeping.
    pub project: Project,
    /// The project as it is written: what a sync keeps of it.
    written: Project,
    pub catalog: Catalog,
    clock: Arc<dyn Clock>,
}

impl Workspace {
    /// Reads the project in a folder; connects nothing yet.
    pub fn open(folder: &Path) -> Result<Self, Vec<Problem>> {
        let project = project::load(folder)?;
        let written = project::load_without_secrets(folder)?;
        let catalog = Catalog::load(&project.root.join("destinations"))
            .map_err(|failure| vec![failure.into()])?;
        Ok(Self { project, written, catalog, clock: Arc::new(SystemClock) })
    }

    /// The control database and the engine over it.
    pub fn engine(&self) -> Result<(Engine, Arc<Database>), Failure> {
        let store = Arc::new(Database::open(&self.project.state)?);
        let ports = Ports {
            store: Arc::<Database>::clone(&store),
            parts: Arc::new(FolderParts::new(&self.project.state)),
            clock: Arc::clone(&self.clock),
        };
        let seed = fastrand::u64(..);
        Ok((Engine::new(ports, self.project.limits.clone(), Tuning::default(), seed), store))
    }

    /// The job of a mapping as it is now.
    pub fn job_of(&self, mapping: &str) -> Result<Job, Failure> {
        self.job(self.plan(mapping)?)
    }

    /// Whether a mapping and its destination are switched on.
    pub fn enabled(&self, mapping: &str) -> Result<(), Failure> {
        let found = find("mapping", &self.project.mappings, mapping)?;
        if !found.enabled {
            let message = format!("mapping `{mapping}` is switched off");
            return Err(Failure::new(Code::MappingDisabled, message));
        }
        let name = &found.destination;
        if !find("destination", &self.project.destinations, name)?.enabled {
            let message = format!("destination `{name}` is switched off");
            return Err(Failure::new(Code::DestinationDisabled, message));
        }
        Ok(())
    }

    /// A model by its name.
    pub fn model(&self, name: &str) -> Result<&config::Model, Failure> {
        find("model", &self.project.models, name)
    }

    /// All that a preview of a model depends on, without secrets.
    pub fn preview_key(&self, model: &str, limit: usize) -> Result<String, Failure> {
        let config::Model { source, query, id, .. } = self.model(model)?;
        let config::Source { kind, settings, .. } = find("source", &self.written.sources, source)?;
        let settings: &serde_json::Map<String, serde_json::Value> = settings;
        Ok(serde_json::json!([kind, settings, query, id, limit]).to_string())
    }

    /// A source, ready to be asked.
    pub fn warehouse(&self, source: &str) -> Result<Arc<dyn Warehouse>, Failure> {
        let config::Source { kind, settings, schema, .. } =
            find("source", &self.project.sources, source)?;
        ebb_warehouse::connect(kind, settings, schema, &self.project.limits)
    }

    /// A destination, ready to be asked.
    pub fn connector(&self, destination: &str) -> Result<Connector, Failure> {
        let config::Destination { kind, settings, .. } =
            find("destination", &self.project.destinations, destination)?;
        let definition = self.catalog.find(kind)?;
        Connector::new(definition, settings, &Network::default(), Arc::clone(&self.clock))
    }

    /// Takes all the project's secrets out of text.
    pub fn redactor(&self) -> Redactor {
        Redactor::new(self.project.secrets.iter().cloned())
    }
}

impl Mappings for Workspace {
    fn plan(&self, mapping: &str) -> Result<Plan, Failure> {
        let written = find("mapping", &self.written.mappings, mapping)?;
        let mut model = find("model", &self.written.models, &written.model)?.clone();
        if model.query == self.model(&written.model)?.query {
            // The text of a file refers to nothing, whatever it looks like.
            model.query = model.query.replace("${", "$${");
        }
        Ok(Plan {
            name: mapping.to_owned(),
            mapping: written.clone(),
            model,
            columns: Vec::new(),
            cause: Cause::default(),
        })
    }
}

impl Jobs for Workspace {
    fn job(&self, plan: Plan) -> Result<Job, Failure> {
        let world = World::new(&self.project.root);
        let mut sql = plan.model.query.as_str().into();
        config::resolve(&mut sql, &world)?;
        let sql = sql.as_str().unwrap_or_default().to_owned();
        let query = ModelQuery { sql, ..plan.model.query() };
        let warehouse = self.warehouse(&plan.model.source)?;
        let connector = self.connector(&plan.mapping.destination)?;
        let redactor = self.redactor().and(connector.redactor());
        let delivery = Arc::new(ConfiguredDelivery { connector, redactor, world });
        Ok(Job { plan, query, warehouse, delivery })
    }
}

/// A configured destination as the engine's port.
struct ConfiguredDelivery {
    connector: Connector,
    redactor: Redactor,
    world: World,
}

impl Delivery for ConfiguredDelivery {
    fn compile(&self, plan: &Plan) -> Result<Arc<dyn Action>, Failure> {
        let config::Mapping { action, fields, enable_batching, .. } = &plan.mapping;
        let mut fields = fields.clone();
        for directive in fields.values_mut() {
            config::resolve(directive, &self.world)?;
        }
        self.connector.action(action, &fields, &plan.columns, *enable_batching)
    }

    fn transport(&self) -> Arc<dyn Transport> {
        self.connector.transport()
    }

    fn redactor(&self) -> &Redactor {
        &self.redactor
    }
}

fn find<'a, T>(
    what: &str,
    named: &'a std::collections::BTreeMap<String, T>,
    name: &str,
) -> Result<&'a T, Failure> {
    named.get(name).ok_or_else(|| {
        Failure::new(Code::ConfigName, format!("there is no {what} `{name}`"))
            .help(suggest::allowed(name, named.keys().map(String::as_str)))
    })
}
