//! The scenarios that every warehouse passes.

mod checkpoint;
mod columns;
mod commit;
mod diff;
mod duplicates;
mod interrupted;
mod property;
mod recipe;
mod size;

/// Runs every scenario on every engine that is there.
macro_rules! scenarios {
    ($($module:ident::{$($name:ident),* $(,)?})*) => {
        scenarios!(@engine postgres, $crate::engine::Postgres, $($module::{$($name),*})*);
        scenarios!(@engine bigquery, $crate::engine::BigQuery, $($module::{$($name),*})*);
        scenarios!(@engine bigquery_by_storage, $crate::engine::BigQueryByStorage, $($module::{$($name),*})*);
        scenarios!(@engine mysql, $crate::engine::Mysql, $($module::{$($name),*})*);
        scenarios!(@engine redshift, $crate::engine::Redshift, $($module::{$($name),*})*);
        scenarios!(@engine azure, $crate::engine::Azure, $($module::{$($name),*})*);
        scenarios!(@engine synapse, $crate::engine::Synapse, $($module::{$($name),*})*);
        scenarios!(@engine redshift_by_files, $crate::engine::RedshiftByFiles, $($module::{$($name),*})*);
        scenarios!(@engine snowflake, $crate::engine::Snowflake, $($module::{$($name),*})*);
        scenarios!(@engine snowflake_by_session, $crate::engine::SnowflakeBySession, $($module::{$($name),*})*);
        scenarios!(@engine databricks, $crate::engine::Databricks, $($module::{$($name),*})*);
        scenarios!(@engine clickhouse, $crate::engine::ClickHouse, $($module::{$($name),*})*);
        scenarios!(@engine sqlite, $crate::engine::Sqlite, $($module::{$($name),*})*);
        #[cfg(feature = "duckdb")]
        scenarios!(@engine duckdb, $crate::engine::DuckDb, $($module::{$($name),*})*);
    };
    (@engine $engine:ident, $harness:ty, $($module:ident::{$($name:ident),*})*) => {
        mod $engine {
            $(mod $module {
                $(#[tokio::test]
                async fn $name() {
                    // An engine that is not here is not tested; `./test` provides all of them.
                    if let Some(engine) = <$harness>::start().await {
                        super::super::$module::$name(engine).await;
                    }
                })*
            })*
        }
    };
}

scenarios! {
    diff::{
        a_first_sync_adds_every_record,
        nothing_changed_finds_nothing,
        changes_are_found_exactly,
        an_empty_model_says_so,
        a_value_that_moves_to_the_next_column_is_a_change,
        null_and_empty_text_differ,
        what_exceeds_the_limit_follows_in_the_next_sync,
        only_what_is_asked_for_is_streamed,
        a_diff_that_was_interrupted_is_replaced,
        many_records_are_streamed_in_order,
        a_record_that_comes_back_is_added,
        message_ids_repeat_for_the_same_content,
    }
    duplicates::{
        new_duplicates_are_put_aside,
        the_twin_of_an_unchanged_record_is_put_aside,
        two_changed_twins_of_a_tracked_record_are_put_aside,
        an_identifier_that_is_unique_again_is_compared_with_what_was_tracked,
        rows_without_identifier_are_put_aside,
        a_record_that_loses_its_identifier_does_not_look_deleted,
        duplicates_do_not_fill_the_limit,
    }
    commit::{
        a_commit_can_be_repeated,
        failed_changes_are_found_again,
        the_delivered_few_can_be_listed_instead,
        what_is_not_subscribed_is_tracked_all_the_same,
        kept_values_come_back_with_the_delete,
        values_kept_from_now_on,
        a_mapping_may_have_a_long_name,
        a_reset_forgets,
        a_lost_changes_table_is_told,
        checks_find_nothing_wrong,
    }
    interrupted::{
        a_commit_that_is_cut_anywhere_is_whole_or_not_at_all,
        a_diff_that_is_cut_anywhere_can_be_done_again,
        a_rebase_that_is_cut_anywhere_can_be_done_again,
        tables_that_a_sync_left_are_listed_and_dropped,
    }
    size::{
        half_a_million_records_are_followed,
    }
    checkpoint::{
        only_newer_rows_are_read,
        failed_rows_hold_the_checkpoint_back,
        rows_of_the_same_moment_are_not_lost,
        rows_without_a_time_are_always_read,
        rows_that_arrive_late_are_found,
        a_limit_takes_the_oldest_first,
        incremental_duplicates_are_put_aside,
        a_new_generation_reads_an_incremental_model_as_a_whole,
    }
    columns::{
        models_of_every_shape_are_read,
        models_that_are_not_one_query_are_refused,
        missing_columns_are_named,
        doubled_columns_are_refused,
        columns_may_be_named_like_ebbs_own,
        previews_show_the_first_records,
        one_record_is_found_by_its_identifier,
        records_are_found_by_what_is_in_them,
        a_model_that_the_engine_refuses_is_told,
        text_of_every_kind_arrives,
        tables_are_listed_with_their_columns,
    }
    recipe::{
        an_added_column_changes_recipe_and_checksums,
        a_renamed_column_changes_the_checksums,
        the_order_of_columns_does_not_matter,
        a_rebase_takes_over_without_sending,
        a_rebase_leaves_what_is_gone_and_what_is_new,
        identifiers_may_change_their_type,
        a_new_generation_finds_every_record_changed,
        what_a_new_generation_did_not_deliver_is_found_again,
    }
    property::{
        any_history_of_a_table_is_followed,
    }
}
