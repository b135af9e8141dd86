//! The files of the page. A browser test uses them.

use crate::support::{Folder, Server};

#[test]
fn every_file_that_the_page_names_is_served() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["-"]);
    let mut waiting = vec!["/".to_owned()];
    let mut seen = Vec::new();
    while let Some(path) = waiting.pop() {
        if seen.contains(&path) {
            continue;
        }
        let (status, head, body) = server.request(&path, "");
        assert_eq!(status, 200, "{path}");
        let expected = match path.rsplit_once('.') {
            Some((_, "js")) => "text/javascript",
            Some((_, "css")) => "text/css",
            _ => "text/html",
        };
        assert!(head.contains(&format!("content-type: {expected}")), "{path}: {head}");
        assert!(head.contains("x-content-type-options: nosniff"), "{path}");
        let quoted = body.split('"').skip(1).step_by(2);
        waiting.extend(quoted.filter_map(|text| match text.strip_prefix("./") {
            Some(module) if module.ends_with(".js") => Some(format!("/page/{module}")),
            _ => text.starts_with("/page/").then(|| text.to_owned()),
        }));
        seen.push(path);
    }
    assert!(seen.len() >= 14, "{seen:?}");
    // Nothing of the page is written by a script as markup.
    for path in seen.iter().filter(|path| !path.contains("uplot")) {
        let body = server.request(path, "").2;
        for forbidden in
            ["innerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=", "onclick=\""]
        {
            assert!(!body.contains(forbidden), "{path}: {forbidden}");
        }
    }
}
