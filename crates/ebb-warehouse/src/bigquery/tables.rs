//! The tables of a project, asked of the service itself: that is not billed, and takes no rights but to read.

use ebb_core::{Failure, port::Tables};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    answer::{DatasetList, TableInfo},
    client::Client,
};

/// So many tables are asked for at a time.
const AT_A_TIME: usize = 8;

impl Client {
    /// Columns as `Dialect::described_tables` gives them, of the datasets that lie where statements run.
    pub(super) async fn described_tables(
        &self,
        rows: usize,
    ) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let mut names = Vec::new();
        for dataset in self.datasets().await? {
            for table in self.tables_of(&dataset).await? {
                names.push((dataset.clone(), table));
            }
            if names.len() > Tables::MOST_TABLES {
                break;
            }
        }
        // The service says nothing of their order.
        names.sort_unstable();
        // One more tells that there are more.
        names.truncate(Tables::MOST_TABLES + 1);
        let asked = stream::iter(names).map(|(dataset, table)| self.columns_of(dataset, table));
        let mut described = asked.buffered(AT_A_TIME);
        let mut all = Vec::new();
        while let Some(columns) = described.try_next().await? {
            all.extend(columns);
            if all.len() >= rows {
                break;
            }
        }
        all.truncate(rows);
        Ok(all)
    }

    /// The names of the datasets that the user may see, but for the managed one.
    async fn datasets(&self) -> Result<Vec<String>, Failure> {
        let mut address = self.address(&["datasets"]);
        let mut all = Vec::new();
        loop {
            let Some(list) = self.look::<DatasetList>(&address).await? else { return Ok(all) };
            let (ours, managed) = (&self.settings.location, &self.settings.managed);
            let near = list.datasets.into_iter().filter(|dataset| {
                dataset.location.is_empty() || dataset.location.eq_ignore_ascii_case(ours)
            });
            let names = near.map(|dataset| dataset.dataset_reference.dataset_id);
            all.extend(names.filter(|name| name != managed));
            let Some(next) = list.next_page_token else { return Ok(all) };
            address.query_pairs_mut().clear().append_pair("pageToken", &next);
        }
    }

    async fn columns_of(
        &self,
        dataset: String,
        table: String,
    ) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let found = self.find::<TableInfo>(&["datasets", &dataset, "tables", &table]).await?;
        let at_hand = if self.settings.dataset.as_ref() == Some(&dataset) { "1" } else { "0" };
        let columns = found.unwrap_or_default().schema.fields.into_iter().map(|field| {
            let native = if field.mode == "REPEATED" {
                format!("ARRAY<{}>", field.native)
            } else {
                field.native
            };
            let row = [&*dataset, &*table, &*field.name, &*native, at_hand];
            row.map(|text| Some(text.to_owned())).to_vec()
        });
        Ok(columns.collect())
    }
}
