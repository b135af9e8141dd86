//! Counts the allocations of one case's records.
//!
//! This is a separate program, because the counting allocator would slow down the cases that allocate.

use std::process::ExitCode;

use logging_cost::Case;

const WARM_UP: u64 = 1_000;
const RECORDS: u64 = 1_000;

fn main() -> ExitCode {
    let Some(Ok(case)) = std::env::args().nth(1).map(|name| name.parse::<Case>()) else {
        eprintln!("usage: count-allocations CASE");
        return ExitCode::FAILURE;
    };
    let ready = case.set_up();
    ready.log(WARM_UP);
    let counted = allocation_counter::measure(|| ready.log(RECORDS));
    println!("{}", counted.count_total as f64 / RECORDS as f64);
    ExitCode::SUCCESS
}
