//! Accepted texts, their meaning, and the messages on the others.

use std::{fs, path::Path, sync::mpsc, thread, time::Duration};

use ml_configuration::{Document, Kind, Place, read_file};
use serde_json::{Value, json};

fn value(text: &str) -> Value {
    let document = Document::parse("f", text).unwrap_or_else(|problems| panic!("{problems}"));
    let mut problems = ml_configuration::Problems::new();
    let value = document.root().deserialize(&mut problems);
    value.unwrap_or_else(|| panic!("{problems}"))
}

fn mistakes(text: &str) -> String {
    Document::parse("f", text).unwrap_err().to_string()
}

#[test]
fn empty_texts_are_empty_mappings() {
    for text in ["", "\n", "# only a comment\n", "---\n", "null", "~", "\u{feff}", "---\n...\n"] {
        assert_eq!(value(text), json!({}), "{text:?}");
    }
}

#[test]
fn line_ends_byte_order_marks_and_odd_keys() {
    assert_eq!(value("a: 1\r\nb:\r\n  - x\r\n"), json!({"a": 1, "b": ["x"]}));
    assert_eq!(value("\u{feff}a: 1\n"), json!({"a": 1}));
    assert_eq!(value("%YAML 1.1\n---\na: 1\n...\n"), json!({"a": 1}));
    assert_eq!(
        value("\"()\": a.B\nx:\n  (): c\n\"<<\": no merge\non: 1"),
        json!({"()": "a.B", "x": {"()": "c"}, "<<": "no merge", "on": 1})
    );
}

#[test]
fn core_tags_are_applied_and_others_refused() {
    assert_eq!(
        value("a: !!str 12\nb: !!int \"3\"\nc: ! yes\nd: !!seq [1]\ne: !!float 1"),
        json!({"a": "12", "b": 3, "c": "yes", "d": [1], "e": 1})
    );
    assert_eq!(mistakes("a: !!int x"), "f:1: the value does not match its tag `!!int`");
    assert_eq!(
        mistakes("a: !env HOME\nb: !!python/object:os.system {}\nc: !!set {x}"),
        "f:1: the tag `!env` is not supported; remove it\n\
         f:2: the tag `!!python/object:os.system` is not supported; remove it\n\
         f:3: the tag `!!set` is not supported; remove it"
    );
}

#[test]
fn aliases_are_copies_with_paths_of_their_own() {
    let text = "base: &b\n  list: [1, x]\nother:\n  - *b\n&k key: 1\nsame: *k\n*k : 2\n";
    assert_eq!(mistakes(text), "f:7: the key `key` is already on line 5; keep one of them");
    let document = Document::parse("f", text.rsplit_once('*').unwrap().0).unwrap();
    let mut problems = ml_configuration::Problems::new();
    let mut root = document.root().mapping(&mut problems).unwrap();
    assert_eq!(root.get("same").unwrap().string(&mut problems), Some("key"));
    let items = root.get("other").unwrap().list(&mut problems).unwrap();
    assert_eq!(items[0].place(), Place::Line(4));
    let list = items[0].mapping(&mut problems).unwrap().get("list").unwrap();
    let item = list.list(&mut problems).unwrap()[1];
    assert_eq!(item.path(), "other[0].list[1]");
    assert_eq!(item.place(), Place::Line(2));
    assert_eq!(item.kind(), Kind::Text);
    assert!(problems.is_empty());
}

#[test]
fn merge_keys_as_in_pyyaml() {
    let text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\n\
                c: {<<: *a, y: own}\nd:\n  z: own\n  <<: [*b, *a]\ne: &e {<<: *a}\nf: {<<: *e}";
    let merged = value(text);
    assert_eq!(merged["c"], json!({"x": 1, "y": "own"}));
    assert_eq!(merged["d"], json!({"y": 3, "x": 1, "z": "own"}));
    assert_eq!(merged["f"], json!({"x": 1, "y": 2}));
    assert_eq!(
        mistakes("a: &a 1\nb:\n  <<: *a\nc:\n  <<: [{x: 1}, 2]\n"),
        "f:3: `<<` takes a mapping, such as `*name`, or a list of mappings\n\
         f:5: `<<` takes a mapping, such as `*name`, or a list of mappings"
    );
    assert_eq!(
        mistakes("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n"),
        "f:4: the key `<<` is already on line 3; write one `<<: [*a, *b]`"
    );
}

#[test]
fn all_wrong_keys_are_reported_at_once() {
    assert_eq!(
        mistakes("a: 1\nb:\n  x: 1\n  x: 2\na: 3\n1: x\ntrue: x\n: x\n1.5: {}\n"),
        "f:4: the key `x` is already on line 3; keep one of them\n\
         f:5: the key `a` is already on line 1; keep one of them\n\
         f:6: a key must be text, but this one is a number; put it in quotes\n\
         f:7: a key must be text, but this one is a boolean; put it in quotes\n\
         f:8: a key must be text, but this one is nothing; put it in quotes\n\
         f:9: a key must be text, but this one is a number; put it in quotes"
    );
    assert_eq!(mistakes("{a: 1, a: 2}"), "f:1: the key `a` is already on line 1; keep one of them");
    assert_eq!(mistakes("[a]: 1"), "f:1: a key must be text, not a list or a mapping");
    assert_eq!(mistakes("a: &a {}\n? *a\n: 1"), "f:2: a key must be text, not a list or a mapping");
}

#[test]
fn syntax_errors_have_line_column_and_a_remedy() {
    assert_eq!(
        mistakes("a:\n\tb: 1\n"),
        "f:2:2: this is not YAML: tabs disallowed within this context (block indentation); \
         indent with spaces, not with tabs"
    );
    for text in ["a: 1\nword", "a: 1\r\nword", "a: 1\rword"] {
        let text = mistakes(text);
        assert!(text.starts_with("f:2:5: this is not YAML: simple key expected"), "{text}");
    }
    assert!(mistakes("a: 1\n? ").starts_with("f:2: a key must be text, but this one is nothing"));
    let text = mistakes("a: b: c\n");
    assert!(text.starts_with("f:1:5: this is not YAML: mapping values are not allowed"), "{text}");
    assert!(text.ends_with("put a value that contains `: ` in quotes"), "{text}");
    assert_eq!(
        mistakes("a: %(x)s"),
        "f:1:4: this is not YAML: unexpected character: `%'; put a value that begins with it in quotes"
    );
    for (text, remedy) in [
        (
            "a:\n  - b: 1\n   c: 2\n",
            "; align the keys of an item with its first key, behind the `- `",
        ),
        ("a: 1\n  b: 2\nc: 3\n", "put a value that contains `: ` in quotes"),
        ("a:\n    b: 1\n  c: 2\n", "; align the keys of a mapping"),
        ("  a: 1\n b: 2\n", "; align the keys of a mapping"),
    ] {
        let text = mistakes(text);
        assert!(text.starts_with("f:") && text.ends_with(remedy), "{text}");
    }
    let text = mistakes("a: [1, 2\nb: 3\n");
    assert!(text.starts_with("f:2:") || text.starts_with("f:3:"), "{text}");
    let text = mistakes("a: *missing");
    assert!(text.contains("unknown anchor; `*name` needs `&name` before a value"), "{text}");
    for text in ["a: 'b\nc: d\n", "a: \"b", "a:\n  b: 'c\n---\n"] {
        let text = mistakes(text);
        assert!(text.ends_with("; close the quote that begins here or above"), "{text}");
    }
    let text = mistakes("a: \"b\" c");
    assert!(text.ends_with("; put the whole value in quotes"), "{text}");
    assert_eq!(
        mistakes("a: 1\n---\nb: 2\n"),
        "f:2: a second document begins here, but a configuration file has one; remove `---` or \
         the second document"
    );
}

#[test]
fn endless_expansion_is_an_error() {
    assert_eq!(mistakes("a: &a [*a]"), "f:1: this alias contains itself; write out its value");
    assert_eq!(
        mistakes("a: &a\n  <<: *a\n"),
        "f:2: this alias contains itself; write out its value"
    );
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for i in 1..30 {
        let aliases = vec![format!("*a{}", i - 1); 9].join(", ");
        laughs.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
    }
    let text = mistakes(&laughs);
    assert!(text.ends_with("more than 100000 values, including the copies by aliases"), "{text}");
    let mut merged = "a0: &a0 {x: [1, 2, 3]}\n".to_owned();
    for i in 1..60 {
        let before = i - 1;
        merged.push_str(&format!(
            "a{i}: &a{i} {{<<: *a{before}, p{i}: *a{before}, q{i}: *a{before}}}\n"
        ));
    }
    let text = mistakes(&merged);
    assert!(text.contains("more than 100000 values"), "{text}");
}

#[test]
fn deep_nesting_is_an_error() {
    let mut aliases = "a0: &a0 []\n".to_owned();
    for i in 1..100 {
        aliases.push_str(&format!("a{i}: &a{i} [*a{}]\n", i - 1));
    }
    for text in ["[".repeat(10_000), "- ".repeat(100_000), "{a: ".repeat(5000), aliases] {
        let mistakes = mistakes(&text);
        assert!(mistakes.ends_with("the nesting is deeper than 64 levels"), "{mistakes}");
    }
    let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert!(Document::parse("f", &deep).is_ok());
}

#[test]
fn files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    let name = path.display();
    let mistakes = || Document::read(&path).unwrap_err().to_string();

    assert_eq!(mistakes(), format!("{name}: there is no such file; create it or name another one"));
    fs::write(&path, b"a: 1\nb: \xff\n").unwrap();
    assert_eq!(
        mistakes(),
        format!("{name}:2: the file is not UTF-8 from here on; save it as UTF-8")
    );
    fs::write(&path, vec![b'#'; 5_000_000]).unwrap();
    assert!(mistakes().contains("larger than 4194304 bytes"));
    fs::write(&path, "a: 1\n").unwrap();
    let document = Document::read(&path).unwrap();
    assert_eq!(document.name(), name.to_string());
    assert!(!document.root().is_null());
    #[cfg(unix)]
    {
        let link = folder.path().join("link.yaml");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
        let text = Document::read(&link).unwrap_err().to_string();
        assert!(text.contains("this link points to a file that does not exist"), "{text}");
    }
    let text = Document::read(folder.path()).unwrap_err().to_string();
    assert!(text.contains("the file cannot be read: "), "{text}");
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_refused_without_waiting_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [&pipe, Path::new("/dev/zero"), Path::new("/dev/null")] {
        let (sender, texts) = mpsc::channel();
        let path = path.to_owned();
        thread::spawn(move || {
            let document = Document::read(&path).unwrap_err().to_string();
            sender.send([document, read_file(&path).unwrap_err().to_string()])
        });
        for text in texts.recv_timeout(Duration::from_secs(30)).unwrap() {
            assert!(text.ends_with("it is not a regular file; copy its content to one"), "{text}");
        }
    }
}

#[test]
fn text_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    fs::write(&path, "key\n").unwrap();
    assert_eq!(read_file(&path).unwrap(), "key\n");
    for (content, message) in [
        (vec![b'#'; 5_000_000], "it is larger than 4 MiB; is it the right file?"),
        (b"\xff".to_vec(), "it is not UTF-8; save it as UTF-8"),
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(read_file(&path).unwrap_err().to_string(), message);
    }
}

#[test]
fn thousands_of_mistakes_are_found_quickly() {
    let entries: String = (0..40_000).map(|i| format!("k{i}: 1, k{i}: 2, ")).collect();
    let problems = Document::parse("f", &format!("{{{entries}}}")).unwrap_err();
    assert_eq!(problems.len(), 40_000);
    assert!(problems.to_string().ends_with("\nand 39900 more"));
}
