//! `ebb explain`: the help page of a failure's code.

use ebb_core::{Code, Failure};

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
};

/// Show the help page of an error code
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The code, such as `C503`; all codes if absent
    code: Option<String>,
}

/// Shows the page, or the list of all codes.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let Some(text) = &arguments.code else {
        list(global);
        return Ok(Finish::Done);
    };
    let code: Code = text.parse().map_err(|()| {
        Failure::new(Code::ConfigName, format!("there is no code `{text}`"))
            .help("`ebb explain` without a code lists all of them")
    })?;
    if global.json {
        print_json(&entry(code, true));
    } else {
        print_text(code.page());
    }
    Ok(Finish::Done)
}

fn list(global: &Global) {
    if global.json {
        let codes: Vec<_> = Code::ALL.iter().map(|code| entry(*code, false)).collect();
        print_json(&serde_json::json!({ "codes": codes }));
    } else {
        let lines: Vec<_> =
            Code::ALL.iter().map(|code| format!("{code}  {}\n", code.title())).collect();
        print_text(&lines.concat());
    }
}

fn entry(code: Code, page: bool) -> serde_json::Value {
    serde_json::json!({
        "code": code,
        "title": code.title(),
        "help": code.help(),
        "page": page.then(|| code.page()),
    })
}
