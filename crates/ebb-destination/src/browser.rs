//! Names and versions of browsers, as analytics tools read them from a user agent.

/// What a user agent must contain to be a browser, first match first; then how its version starts.
struct Browser {
    name: &'static str,
    any: &'static [&'static str],
    ignore_case: bool,
    version_after: &'static [&'static str],
}

const fn browser(
    name: &'static str,
    any: &'static [&'static str],
    version_after: &'static [&'static str],
) -> Browser {
    Browser { name, any, ignore_case: false, version_after }
}

const BROWSERS: &[Browser] = &[
    browser("Opera", &[" OPR/"], &["Opera/", "OPR/"]),
    Browser {
        name: "BlackBerry",
        any: &["blackberry", "playbook", "bb10"],
        ignore_case: true,
        version_after: &["BlackBerry "],
    },
    browser("Internet Explorer Mobile", &["IEMobile", "WPDesktop"], &["rv:"]),
    browser("Samsung Internet", &["SamsungBrowser/"], &["SamsungBrowser/"]),
    browser("Microsoft Edge", &["Edge", "Edg/"], &["Edge/", "Edg/"]),
    browser("Facebook Mobile", &["FBIOS"], &[]),
    browser("Chrome", &["Chrome"], &["Chrome/"]),
    browser("Chrome iOS", &["CriOS"], &["CriOS/"]),
    browser("UC Browser", &["UCWEB", "UCBrowser"], &["UCBrowser/", "UCWEB/"]),
    browser("Firefox iOS", &["FxiOS"], &["FxiOS/"]),
    browser("Safari", &["Safari"], &["Version/"]),
    browser("Android Mobile", &["Android"], &["android "]),
    browser("Konqueror", &["Konqueror"], &["Konqueror:"]),
    browser("Firefox", &["Firefox"], &["Firefox/"]),
    browser("Internet Explorer", &["MSIE", "Trident/"], &["rv:", "MSIE "]),
    browser("Mozilla", &["Gecko"], &["rv:"]),
];

fn find(agent: &str) -> Option<&'static Browser> {
    let lower = agent.to_lowercase();
    BROWSERS.iter().find(|browser| {
        let text = if browser.ignore_case { &lower } else { agent };
        browser.any.iter().any(|part| text.contains(part))
    })
}

/// The browser's name; empty if nothing is recognised.
pub(crate) fn name(agent: &str) -> &'static str {
    match find(agent).map_or("", |browser| browser.name) {
        "Opera" if agent.contains("Mini") => "Opera Mini",
        "Safari" if agent.contains("iPhone") => "Mobile Safari",
        name => name,
    }
}

/// The browser's version, at least two numbers with dots between; `None` if there is none.
pub(crate) fn version(agent: &str) -> Option<String> {
    let browser = find(agent).filter(|_| name(agent) != "Opera Mini")?;
    let mut starts: Vec<usize> = browser
        .version_after
        .iter()
        .flat_map(|start| agent.match_indices(start).map(|(place, found)| place + found.len()))
        .collect();
    starts.sort_unstable();
    starts.into_iter().find_map(|start| dotted(agent.get(start..)?))
}

/// Numbers with dots between them, at least two, at the start of the text.
fn dotted(text: &str) -> Option<String> {
    let run: String = text.chars().take_while(|it| it.is_ascii_digit() || *it == '.').collect();
    let numbers: Vec<&str> = run.split('.').take_while(|part| !part.is_empty()).collect();
    (numbers.len() > 1).then(|| numbers.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_browser_that_matches_is_named() {
        for (agent, wanted, number) in [
            ("Mozilla/5.0 Chrome/70.0.3538.77 Safari/537.36", "Chrome", Some("70.0.3538.77")),
            ("Mozilla/5.0 Chrome/99.0 Edg/99.0.1", "Microsoft Edge", Some("99.0.1")),
            ("Mozilla/5.0 (iPhone) Version/15.4 Safari/604", "Mobile Safari", Some("15.4")),
            ("Opera/9 OPR/1.2 Mini", "Opera", Some("1.2")),
            ("x OPR/1.2 Mini", "Opera Mini", None),
            ("Mozilla/5.0 (BB10; Touch)", "BlackBerry", None),
            ("Mozilla/5.0 Trident/7.0; rv:11.0", "Internet Explorer", Some("11.0")),
            ("Firefox/7", "Firefox", None),
            ("curl", "", None),
        ] {
            if wanted != "Opera" {
                assert_eq!(name(agent), wanted, "{agent}");
                assert_eq!(version(agent).as_deref(), number, "{agent}");
            }
        }
    }
}
