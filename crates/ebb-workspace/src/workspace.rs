//! A project with everything it names connected: what commands work with.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use ebb_core::{
    Code, Failure, Redactor, Secret, config,
    config::{Node, Problem, Project, assemble, assemble_without_secrets},
    port::{Action, Clock, ModelQuery, Transport, Warehouse},
    suggest,
};
use ebb_destination::{Catalog, Connector, Definition, Network, Reach};
use ebb_engine::{Cause, Delivery, Engine, Job, Jobs, Mappings, Plan, Ports, Tuning};
use ebb_store::{Database, DatabaseUrl, Entry, FolderParts};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    part::written,
    project::{self, World},
};

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
    /// The destinations that there are.
    pub catalog: Arc<Catalog>,
    /// What its files say.
    files: Arc<[Node]>,
    world: World,
    clock: Arc<dyn Clock>,
    /// How destinations are reached.
    pub network: Network,
    /// Where the control database is, if not in the state folder.
    database: Option<DatabaseUrl>,
}

impl Workspace {
    /// Reads the project in a folder; connects nothing yet.
    pub fn open(folder: &Path) -> Result<Self, Vec<Problem>> {
        let root = project::root(folder)?;
        Self::of_files(&root, project::nodes(&root, folder)?)
    }

    /// A project of which everything is made in the page. Its state lies in the folder, where that of a project
    /// of files does.
    pub fn without_files(folder: &Path) -> Result<Self, Vec<Problem>> {
        let root = project::root(folder)?;
        Self::of_files(&root, vec![Node::from_value("", &json!({ "project": "ebb" }))])
    }

    fn of_files(root: &Path, files: Vec<Node>) -> Result<Self, Vec<Problem>> {
        let catalog = Catalog::load(&root.join("destinations"));
        let catalog = catalog.map_err(|failure| vec![failure.into()])?;
        let world = World::new(root);
        Ok(Self {
            project: assemble(root, files.clone(), &world)?,
            written: assemble_without_secrets(root, files.clone(), &world)?,
            catalog: Arc::new(catalog),
            files: files.into(),
            world,
            clock: Arc::new(SystemClock),
            network: Network::default(),
            database: None,
        })
    }

    /// The same with its control database on a server.
    #[must_use]
    pub fn with_database(self, database: Option<DatabaseUrl>) -> Self {
        Self { database, ..self }
    }

    /// The files' project with entries of a control database beside it. All that is wrong with them is
    /// reported at once; the place of each problem is the path of its value, such as `models.users.id`.
    pub fn with_entries<'a>(
        &self,
        entries: impl IntoIterator<Item = &'a Entry>,
        secrets: BTreeMap<String, Secret>,
    ) -> Result<Self, Vec<Problem>> {
        let root = &self.project.root;
        let world = self.world.clone().with_secrets(secrets);
        let made = entries.into_iter().map(|Entry { section, name, document, .. }| {
            Node::from_value("", &json!({ section: { name: document } }))
        });
        let nodes: Vec<Node> = self.files.iter().cloned().chain(made).collect();
        Ok(Self {
            project: assemble(root, nodes.clone(), &world)?,
            written: assemble_without_secrets(root, nodes, &world)?,
            catalog: Arc::clone(&self.catalog),
            files: Arc::clone(&self.files),
            world,
            clock: Arc::clone(&self.clock),
            network: self.network.clone(),
            database: self.database.clone(),
        })
    }

    /// The project for a server, which others than its operator use: destinations are asked only at
    /// addresses of the Internet, and at those that the operator allows.
    #[must_use]
    pub fn guarded(mut self) -> Self {
        self.network.reach = Reach::Public { besides: self.project.allowed_addresses.clone() };
        self
    }

    /// The control database.
    pub fn store(&self) -> Result<Database, Failure> {
        let state = &self.project.state;
        self.database
            .as_ref()
            .map_or_else(|| Database::open(state), |url| Database::connect(state, url))
    }

    /// The control database and the engine over it.
    pub fn engine(&self) -> Result<(Engine, Arc<Database>), Failure> {
        let store = Arc::new(self.store()?);
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

    /// A mapping by its name.
    pub fn mapping(&self, name: &str) -> Result<&config::Mapping, Failure> {
        find("mapping", &self.project.mappings, name)
    }

    /// Whether a mapping's destination has its action (`M304`).
    pub fn action_exists(&self, mapping: &str) -> Result<(), Failure> {
        let config::Mapping { destination, action, .. } = self.mapping(mapping)?;
        self.definition(destination)?.action_exists(action)
    }

    /// What is wrong with a mapping, whatever the columns of its model: `M301`, `M304`, `M305`.
    pub fn check_mapping(&self, mapping: &str) -> Result<Vec<Failure>, Failure> {
        let config::Mapping { destination, action, fields, .. } = self.mapping(mapping)?;
        let definition = self.definition(destination)?;
        Ok(ebb_destination::check_mapping(&definition.manifest, action, fields))
    }

    /// What a configured destination is.
    pub fn definition(&self, destination: &str) -> Result<Arc<Definition>, Failure> {
        let destination = find("destination", &self.project.destinations, destination)?;
        self.catalog.find(&destination.kind)
    }

    /// A model by its name.
    pub fn model(&self, name: &str) -> Result<&config::Model, Failure> {
        find("model", &self.project.models, name)
    }

    /// A source's kind and settings as they are written: secrets stand as references.
    pub(crate) fn as_configured(
        &self,
        source: &str,
    ) -> Result<(&str, &serde_json::Map<String, serde_json::Value>), Failure> {
        let config::Source { kind, settings, .. } = find("source", &self.written.sources, source)?;
        Ok((kind, settings))
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
        Connector::new(definition, settings, &self.network, Arc::clone(&self.clock))
    }

    /// What the files say of an entry, as it is written there: references stand for themselves.
    pub fn written(&self, section: &str, name: &str) -> Option<serde_json::Value> {
        written(&self.files, section, name)
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
            model.query = config::plain(&model.query);
        }
        Ok(Plan {
            name: mapping.to_owned(),
            mapping: written.clone(),
            model,
            columns: Vec::new(),
            generation: 0,
            cause: Cause::default(),
        })
    }
}

impl Jobs for Workspace {
    fn job(&self, plan: Plan) -> Result<Job, Failure> {
        let mut sql = plan.model.query.as_str().into();
        config::resolve(&mut sql, &self.world)?;
        let sql = sql.as_str().unwrap_or_default().to_owned();
        let query = ModelQuery { sql, ..plan.model.query() };
        let warehouse = self.warehouse(&plan.model.source)?;
        let connector = self.connector(&plan.mapping.destination)?;
        let redactor = self.redactor().and(connector.redactor());
        let delivery =
            Arc::new(ConfiguredDelivery { connector, redactor, world: self.world.clone() });
        let demands = self.project.demands(&plan.model.source, &plan.mapping.destination);
        Ok(Job { plan, query, warehouse, delivery, demands })
    }
}

/// A configured destination as the engine's port.
struct ConfiguredDelivery {
    connector: Connector,
    redactor: Redactor,
    world: World,
}

impl ConfiguredDelivery {
    /// The mapping's fields with what they refer to.
    fn fields(&self, plan: &Plan) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
        let mut fields = plan.mapping.fields.clone();
        for directive in fields.values_mut() {
            config::resolve(directive, &self.world)?;
        }
        Ok(fields)
    }
}

impl Delivery for ConfiguredDelivery {
    fn compile(&self, plan: &Plan) -> Result<Arc<dyn Action>, Failure> {
        let config::Mapping { action, enable_batching, .. } = &plan.mapping;
        self.connector.action(action, &self.fields(plan)?, &plan.columns, *enable_batching)
    }

    fn lacking(
        &self,
        plan: &Plan,
        had: &dyn Fn(&str) -> bool,
    ) -> Result<BTreeSet<String>, Failure> {
        let manifest = &self.connector.definition().manifest;
        let fields = self.fields(plan)?;
        ebb_destination::lacking(manifest, &plan.mapping.action, &fields, &plan.columns, had)
    }

    fn transport(&self) -> Arc<dyn Transport> {
        self.connector.transport()
    }

    fn redactor(&self) -> &Redactor {
        &self.redactor
    }
}

fn find<'a, T>(what: &str, named: &'a BTreeMap<String, T>, name: &str) -> Result<&'a T, Failure> {
    named.get(name).ok_or_else(|| {
        Failure::new(Code::ConfigName, format!("there is no {what} `{name}`"))
            .help(suggest::allowed(name, named.keys().map(String::as_str)))
    })
}
