//! Measures the time of one prediction and of loading the model.
//!
//! A prediction is so short that the overhead of a benchmark library would exceed it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use insurance_charges::{
    InsuranceChargesModel, InsuranceChargesModelInput, LoadError, Region, Sex,
};

const INPUTS: usize = 4096;
const ROUNDS: usize = 25;

fn main() -> Result<(), LoadError> {
    let model = InsuranceChargesModel::load()?;
    // Many different inputs, so that branch prediction cannot learn their paths through the trees.
    let inputs: Vec<_> = (0..INPUTS).map(input).collect();

    let each = fastest(ROUNDS, || {
        for input in &inputs {
            black_box(model.charges(black_box(input)));
        }
    });
    println!("one prediction: {:.0} ns", each.as_nanos() as f64 / INPUTS as f64);

    let load = fastest(ROUNDS, || {
        black_box(InsuranceChargesModel::load()).ok();
    });
    println!("load: {:.0} µs", load.as_nanos() as f64 / 1000.0);
    Ok(())
}

fn fastest(rounds: usize, mut run: impl FnMut()) -> Duration {
    let times = (0..rounds).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

fn input(number: usize) -> InsuranceChargesModelInput {
    let mixed = number.wrapping_mul(0x9e37_79b9) >> 7;
    InsuranceChargesModelInput {
        age: 18 + (mixed % 48) as u8,
        sex: if mixed.is_multiple_of(2) { Sex::Male } else { Sex::Female },
        bmi: 15.0 + (mixed % 351) as f64 / 10.0,
        children: (mixed % 6) as u8,
        smoker: (mixed >> 3).is_multiple_of(5),
        region: [Region::Southwest, Region::Southeast, Region::Northwest, Region::Northeast]
            [mixed % 4],
    }
}
