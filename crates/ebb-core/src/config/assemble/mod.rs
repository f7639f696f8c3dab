//! From files to a project: merges, checks, and says everything that is wrong at once.

mod alerts;
mod consent;
mod entries;
mod merge;
mod model;
mod schedule;
mod sign_in;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use super::{
    DbtCloud, Guards, MANAGED_SCHEMA, Node, Place, Places, Problem, Project, Surroundings,
    dbt::Manifest,
    form::{self, DbtCloudForm, GuardsForm, LimitsForm, NetworkForm, UsageForm},
    range::Range,
    shape,
};
use crate::{Code, Failure, Limits};

/// Reads a project from its files, with all that they refer to in the environment and other files.
///
/// `root` is the project folder. The error holds every problem, in the order of files and lines.
pub fn assemble(
    root: &Path,
    files: Vec<Node>,
    world: &dyn Surroundings,
) -> Result<Project, Vec<Problem>> {
    assemble_for(Aim::Connect, root, files, world)
}

fn assemble_for(
    aim: Aim,
    root: &Path,
    mut files: Vec<Node>,
    world: &dyn Surroundings,
) -> Result<Project, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut secrets = Vec::new();
    for file in &mut files {
        file.each_text(&mut |text, place| match text.resolve(world) {
            Ok(found) => secrets.extend(found),
            Err(failure) => problems.push(Problem::at(place.clone(), failure)),
        });
    }
    let project = Assembly::new(root, &files, world, aim, problems).project()?;
    Ok(Project { secrets, ..project })
}

/// Reads a part of a project as [`assemble`] does: what its entries name may be kept elsewhere, such as on the
/// server that the part is sent to. It can connect to nothing.
pub fn assemble_part(
    root: &Path,
    files: Vec<Node>,
    world: &dyn Surroundings,
) -> Result<Project, Vec<Problem>> {
    assemble_for(Aim::Send, root, files, world)
}

/// Reads a project as [`assemble`] does, but leaves references to variables and files as they are
/// written: to check a project where its secrets are not at hand. It can connect to nothing.
pub fn assemble_without_secrets(
    root: &Path,
    mut files: Vec<Node>,
    world: &dyn Surroundings,
) -> Result<Project, Vec<Problem>> {
    let mut problems = Vec::new();
    for file in &mut files {
        file.each_text(&mut |text, place| {
            problems.extend(text.check().err().map(|failure| Problem::at(place.clone(), failure)));
        });
    }
    Assembly::new(root, &files, world, Aim::Review, problems).project()
}

/// What a project is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// To work with it: everything must be known.
    Connect,
    /// To look at it: what is not at hand stands for itself.
    Review,
    /// To send it to who may have the rest: whether a name refers to something is found there.
    Send,
}

/// The work in progress.
struct Assembly<'a> {
    root: &'a Path,
    files: &'a [Node],
    world: &'a dyn Surroundings,
    aim: Aim,
    problems: Vec<Problem>,
    /// Sections and names of entries, and keys of the top, that do not fit the schema.
    broken: BTreeSet<Vec<String>>,
    limits: Limits,
    guards: Guards,
    dbt_cloud: Option<DbtCloud>,
    /// The manifests of dbt projects that were read, by path: several models share one.
    manifests: BTreeMap<String, Arc<Manifest>>,
}

impl<'a> Assembly<'a> {
    fn new(
        root: &'a Path,
        files: &'a [Node],
        world: &'a dyn Surroundings,
        aim: Aim,
        mut problems: Vec<Problem>,
    ) -> Self {
        let schema = form::schema().to_value();
        let mut broken = BTreeSet::new();
        for mut finding in files.iter().flat_map(|file| shape::check(&schema, file)) {
            finding.path.truncate(2);
            broken.insert(finding.path);
            problems.push(finding.problem);
        }
        let (limits, guards) = (Limits::default(), Guards::default());
        let (dbt_cloud, manifests) = (None, BTreeMap::new());
        Self { root, files, world, aim, problems, broken, limits, guards, dbt_cloud, manifests }
    }

    fn report(&mut self, place: &Place, failure: Failure) {
        self.problems.push(Problem::at(place.clone(), failure));
    }

    fn project(mut self) -> Result<Project, Vec<Problem>> {
        if let Some(limits) = self.once::<LimitsForm>("limits") {
            self.limits = limits.over(&self.limits);
        }
        if let Some(guards) = self.once::<GuardsForm>("guards") {
            self.guards = guards.over(self.guards);
        }
        let usage =
            self.once::<UsageForm>("usage").and_then(|usage| usage.plan).unwrap_or_default();
        self.limits.usage = usage.limit();
        let dbt_cloud = self.once::<DbtCloudForm>("dbt_cloud");
        self.dbt_cloud =
            dbt_cloud.map(|DbtCloudForm { webhook_secret }| DbtCloud { webhook_secret });
        let network = self.once::<NetworkForm>("network");
        let allowed = network.into_iter().flat_map(|network| network.allow);
        let allowed_addresses = allowed.map(|Range(range)| range).collect();
        let name = self.once("project").or_else(|| Some(self.root.file_name()?.to_str()?.into()));
        let state = self.once::<String>("state").unwrap_or_else(|| ".ebb".to_owned());
        let url = self.once("url");
        let sign_in = self.sign_in();
        let [sources, models, destinations, mappings] =
            ["sources", "models", "destinations", "mappings"].map(|section| self.merged(section));
        let [channels, rules] = ["channels", "alert_rules"].map(|section| self.merged(section));
        let models_read = self.models(&models, &sources, &mappings);
        let project = Project {
            name: name.unwrap_or_default(),
            root: self.root.to_owned(),
            state: self.root.join(state),
            sources: self.sources(&sources),
            mappings: self.mappings(&mappings, &models, &models_read, &destinations),
            models: models_read,
            destinations: self.destinations(&destinations),
            alert_rules: self.alert_rules(&rules, &mappings, &channels),
            channels: self.channels(&channels),
            url,
            sign_in,
            limits: self.limits.clone(),
            dbt_cloud: self.dbt_cloud.clone(),
            usage,
            allowed_addresses,
            secrets: Vec::new(),
            places: Places::of(self.files),
        };
        // A source that could not be read may name the column that seems to be missing.
        if project.sources.len() == sources.len() {
            self.consent(&project);
        }
        if self.aim == Aim::Send {
            self.problems.retain(|problem| problem.failure.code != Code::ConfigName);
        }
        if self.problems.is_empty() {
            return Ok(project);
        }
        self.problems.sort_by(|one, other| one.place.cmp(&other.place));
        Err(self.problems)
    }
}
