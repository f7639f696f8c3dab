//! When a sync is held until somebody approves.

use ebb_core::{
    Code, Failure,
    config::Guards,
    port::{Diff, Recipe, Tracked},
};

/// Holds a sync whose diff looks like an accident: a model without rows, or too many deletes.
#[expect(clippy::cast_precision_loss, reason = "a share of some millions needs no last digit")]
pub(crate) fn after_diff(diff: &Diff, guards: Guards) -> Result<(), Failure> {
    let Diff { changes, tracked, .. } = diff;
    if *tracked == 0 {
        return Ok(());
    }
    if diff.empty {
        return Err(held(format!("the model returned no rows, and {tracked} records are tracked")));
    }
    let share = changes.deleted as f64 / *tracked as f64;
    if *tracked >= Guards::SMALLEST && share > guards.max_deleted {
        return Err(held(format!(
            "the sync would delete {} of {tracked} tracked records, more than the {} % that \
             `guards.max_deleted` allows",
            changes.deleted,
            guards.max_deleted * 100.0,
        )));
    }
    Ok(())
}

fn held(message: String) -> Failure {
    Failure::new(Code::Held, message)
}

/// Holds a sync whose checksums cannot be compared with the stored ones, because another version
/// of the recipe or of the engine made them: every record would look updated.
pub(crate) fn recipe(tracked: Option<&Tracked>, recipe: &Recipe) -> Result<(), Failure> {
    match tracked {
        Some(tracked) if tracked.recipe.version != recipe.version => Err(Failure::new(
            Code::RecipeChanged,
            format!(
                "the tracked checksums were made by `{}` and would now be made by `{}`: up to {} \
                 records would be sent again",
                tracked.recipe.version, recipe.version, tracked.records,
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::Tally;

    use super::*;

    fn diff(tracked: u64, deleted: u64, empty: bool) -> Diff {
        Diff { tracked, empty, changes: Tally { deleted, ..Tally::default() }, ..Diff::default() }
    }

    #[test]
    fn deletes_of_more_than_half_are_held_from_a_hundred_tracked_records_on() {
        let guards = Guards::default();
        assert!(after_diff(&diff(99, 98, false), guards).is_ok());
        assert!(after_diff(&diff(100, 50, false), guards).is_ok());
        let held = after_diff(&diff(100, 51, false), guards).unwrap_err();
        assert_eq!(held.code, Code::Held);
        assert!(held.message().contains("51 of 100"), "{held}");
    }

    #[test]
    fn an_empty_model_is_held_only_if_something_is_tracked() {
        assert!(after_diff(&diff(0, 0, true), Guards::default()).is_ok());
        assert!(after_diff(&diff(1, 1, true), Guards::default()).is_err());
    }
}
