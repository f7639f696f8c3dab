//! Whether another site had a browser send a request. A mark tells that only where there is a session; who signs
//! in or joins has none yet, and could be made to do so as somebody else.

use axum::{
    extract::Request,
    http::{
        HeaderMap,
        header::{HOST, ORIGIN},
        uri::Authority,
    },
};

/// Whether a browser says that another site sent this. `own` is the address of the server, as browsers reach it.
/// What is no browser says nothing, and does only what it is told to do.
pub(super) fn is_cross_site(request: &Request, own: &str) -> bool {
    let header = |name: &str| text(request.headers(), name);
    if let Some(site) = header("sec-fetch-site") {
        return !["same-origin", "none"].contains(&site);
    }
    // Browsers say no more to a server without TLS, nor do older ones.
    let Some(origin) = header(ORIGIN.as_str()) else { return false };
    let Some(from) = machine(origin) else { return true };
    let asked = request.uri().authority().map(Authority::as_str);
    let asked = asked.or_else(|| header(HOST.as_str()));
    let mut known = [asked, machine(own)].into_iter().flatten();
    !known.any(|own| from.eq_ignore_ascii_case(own))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

/// Host and port of an address, if it has some.
fn machine(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    rest.split('/').next()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::Request};

    use super::is_cross_site;

    #[test]
    fn a_browser_says_where_a_request_comes_from() {
        let crosses = |headers: &[(&str, &str)]| {
            let mut request = Request::builder().uri("/sign-in").header("host", "ebb.test:7070");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            is_cross_site(&request.body(Body::empty()).unwrap(), "https://data.example.com/ebb")
        };
        for own in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://a.proxy.renamed.it")],
            &[("origin", "http://ebb.test:7070")],
            &[("origin", "http://EBB.test:7070")],
            &[("origin", "https://data.example.com")],
        ] {
            assert!(!crosses(own), "{own:?}");
        }
        for other in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "http://ebb.test:7070")],
            &[("sec-fetch-site", "\u{e9}")],
            &[("origin", "http://evil.example")],
            &[("origin", "http://ebb.test:7071")],
            &[("origin", "http://ebb.test")],
            &[("origin", "null")],
            &[("origin", "")],
        ] {
            assert!(crosses(other), "{other:?}");
        }
    }
}
