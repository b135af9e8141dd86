//! Tables and charts of the measurements.

use std::fmt::Write as _;

use chart::{Content, Curve, Panel, Picture, Scale, number};
use logging_cost::{CONTENDERS, CONTEXT, SIZES};

use crate::figures::{Cost, Figures, THREADS};

/// Returns all tables as Markdown.
pub(crate) fn tables(figures: &Figures) -> String {
    let mut text = String::new();
    // Writing to a `String` does not fail.
    let _ = write_tables(&mut text, figures);
    text
}

fn write_tables(text: &mut String, figures: &Figures) -> std::fmt::Result {
    let Figures { plan, cores, .. } = figures;
    writeln!(
        text,
        "# Cost of a JSON log record\n\n\
         Written by `cargo run --release -p logging-cost` in `benches`. Times are the fastest and the median\n\
         of {} interleaved rounds of {} records, on {cores} shared cores. Instructions are counted by\n\
         callgrind. Each record is written at once to a sink that counts bytes.\n\n\
         ## Nine context fields and eight event fields\n",
        plan.rounds, plan.records
    )?;
    text.push_str(&comparison(figures));
    writeln!(text, "\n![Cost of the record by library](logging.svg)\n")?;

    writeln!(text, "## From one event field to 100\n")?;
    writeln!(
        text,
        "The fields are integers. The record also has the time, the level and a message.\n\n\
         | fields | ml-logging, ns | instructions | tracing-subscriber, ns | instructions | × |\n\
         |---|---|---|---|---|---|"
    )?;
    let [ours, theirs] = &figures.fields;
    for ((size, ours), theirs) in SIZES.iter().zip(ours).zip(theirs) {
        writeln!(
            text,
            "| {size} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1} |",
            ours.fastest,
            ours.instructions,
            theirs.fastest,
            theirs.instructions,
            theirs.fastest / ours.fastest
        )?;
    }
    writeln!(text, "\n![From one field to 100](logging-fields.svg)\n")?;

    writeln!(text, "## Cost of a context field\n")?;
    writeln!(
        text,
        "Instructions in addition to the {:.0} of a record with a message alone. Adjacent fields that are constant\n\
         for a callsite are copied together.\n\n\
         | field | instructions |\n|---|---|",
        figures.message
    )?;
    for (name, cost) in CONTEXT.iter().zip(&figures.context) {
        // Avoids a negative zero.
        let cost = cost.round() + 0.0;
        writeln!(text, "| `{name}` | {cost} |")?;
    }
    writeln!(text, "\n## From one thread to eight\n")?;
    write!(
        text,
        "Thousands of records per second in the fastest of {} rounds.\n\n| |",
        plan.thread_rounds
    )?;
    for threads in THREADS {
        write!(text, " {threads} |")?;
    }
    writeln!(text, "\n|---|{}", "---|".repeat(THREADS.len()))?;
    for (name, per_second) in &figures.threads {
        write!(text, "| {name} |")?;
        for per_second in per_second {
            write!(text, " {:.0} |", per_second / 1e3)?;
        }
        text.push('\n');
    }
    writeln!(text, "\n![From one thread to eight](logging-threads.svg)")
}

fn comparison(figures: &Figures) -> String {
    let mut text = "| | version | time | ns, fastest | ns, median | instructions | allocations \
                    | ns, × ours | ns, × by hand |\n|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    let costs = &figures.contenders;
    let (ours, floor) = (costs[0].fastest, costs[costs.len() - 1].fastest);
    for (contender, cost) in CONTENDERS.iter().zip(costs) {
        let Cost { fastest, median, instructions, allocations } = cost;
        let version = contender.package.map_or("", version);
        let (name, time) = (contender.name, contender.time);
        let (to_ours, to_floor) = (fastest / ours, fastest / floor);
        text.push_str(&format!(
            "| {name} | {version} | {time} | {fastest:.0} | {median:.0} | {instructions:.0} | {allocations:.0} \
             | {to_ours:.2} | {to_floor:.2} |\n"
        ));
    }
    text
}

/// Returns the version of a package from the lock file.
fn version(package: &str) -> &'static str {
    let lock = include_str!("../../Cargo.lock");
    let after =
        lock.split_once(&format!("name = \"{package}\"\nversion = \"")).map(|(_, rest)| rest);
    after.and_then(|rest| rest.split('"').next()).unwrap_or("?")
}

/// Returns the charts and their file names.
pub(crate) fn pictures(figures: &Figures) -> [(&'static str, Picture); 3] {
    let summary = format!(
        "fastest of {} interleaved rounds, {} shared cores",
        figures.plan.rounds, figures.cores
    );
    let bars = |name, value: fn(&Cost) -> f64| {
        let costs = CONTENDERS.iter().zip(&figures.contenders);
        let bars = costs.map(|(contender, cost)| {
            let value = value(cost).round();
            (contender.name.to_owned(), value, number(value))
        });
        Panel { name, content: Content::Bars(bars.collect()) }
    };
    let curves = |name, value: fn(&Cost) -> f64| {
        let curve = |name: &str, costs: &[Cost]| Curve {
            name: name.to_owned(),
            points: SIZES.iter().map(|size| *size as f64).zip(costs.iter().map(value)).collect(),
            has_marks: true,
        };
        let [ours, theirs] = &figures.fields;
        let curves = vec![curve("ml-logging", ours), curve("tracing-subscriber", theirs)];
        Panel { name, content: Content::Curves { x: "fields", scale: Scale::Linear, curves } }
    };
    let threads = |name, cases: &[(&'static str, Vec<f64>)]| {
        let curves = cases.iter().map(|(case, per_second)| Curve {
            name: (*case).to_owned(),
            points: THREADS
                .into_iter()
                .map(f64::from)
                .zip(per_second.iter().map(|count| count / 1e3))
                .collect(),
            has_marks: true,
        });
        let content =
            Content::Curves { x: "threads", scale: Scale::Logarithmic, curves: curves.collect() };
        Panel { name, content }
    };
    let (queued, at_once) = figures.threads.split_at(1);
    [
        (
            "logging.svg",
            Picture {
                title: "A JSON record of nine context fields and eight event fields",
                summary: summary.clone(),
                panels: vec![
                    bars("Nanoseconds per record", |cost| cost.fastest),
                    bars("Instructions per record", |cost| cost.instructions),
                ],
            },
        ),
        (
            "logging-fields.svg",
            Picture {
                title: "From one event field to 100",
                summary,
                panels: vec![
                    curves("Nanoseconds per record", |cost| cost.fastest),
                    curves("Instructions per record", |cost| cost.instructions),
                ],
            },
        ),
        (
            "logging-threads.svg",
            Picture {
                title: "From one logging thread to eight",
                summary: format!(
                    "fastest of {} interleaved rounds, {} shared cores",
                    figures.plan.thread_rounds, figures.cores
                ),
                panels: vec![
                    threads("Thousand records per second, counting sink", at_once),
                    threads("Thousand records per second, queue and file", queued),
                ],
            },
        ),
    ]
}
