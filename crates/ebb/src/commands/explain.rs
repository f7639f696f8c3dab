//! `ebb explain`: the help page of a failure's code.

use ebb_core::{Code, Failure, suggest};

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
};

/// Show the help page of an error code
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The code, such as `C503`
    code: String,
}

/// Shows the page.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let code: Code = arguments.code.parse().map_err(|()| {
        Failure::new(Code::ConfigName, format!("there is no code `{}`", arguments.code))
            .help(suggest::allowed(&arguments.code, Code::ALL.iter().map(|code| code.as_str())))
    })?;
    if global.json {
        print_json(&serde_json::json!({
            "code": code, "title": code.title(), "help": code.help(), "page": code.page(),
        }));
    } else {
        print_text(code.page());
    }
    Ok(Finish::Done)
}
