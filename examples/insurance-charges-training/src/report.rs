//! The text report of a training run: candidates, winner, scores on the test rows, and two published examples.

use std::fmt::{self, Write};

use super::Trained;
use super::boost::MEMBERS;
use super::search::{Candidate, Choice, NO_DIFFERENCE};
use insurance_charges::input::{InsuranceChargesModelInput, Region, Sex};

/// Inputs with the charges that the Python model was published to predict.
const PUBLISHED: [(InsuranceChargesModelInput, f64); 2] = [
    (
        InsuranceChargesModelInput {
            age: 25,
            sex: Sex::Male,
            bmi: 21.0,
            children: 0,
            smoker: false,
            region: Region::Northwest,
        },
        2696.69,
    ),
    (
        InsuranceChargesModelInput {
            age: 65,
            sex: Sex::Male,
            bmi: 50.0,
            children: 5,
            smoker: true,
            region: Region::Southwest,
        },
        46277.67,
    ),
];

/// Writes the report of a training run.
pub fn report(trained: &Trained) -> String {
    let mut text = String::new();
    write_report(&mut text, trained).expect("writing to a string does not fail");
    text
}

fn write_report(out: &mut String, trained: &Trained) -> fmt::Result {
    write_candidates(out, &trained.choice)?;

    let Trained { trees, scores, predicted, .. } = trained;
    writeln!(out, "\nThe model: {} trees with {} leaves.", trees.len(), trees.leaves())?;
    writeln!(out, "\nThe {} test rows, scored once:", predicted.len())?;
    writeln!(out, "            r2        RMSE       MAE")?;
    writeln!(out, "  this   {:.4}  US$ {:>6.1}  US$ {:>6.1}", scores.r2, scores.rmse, scores.mae)?;
    writeln!(out, "  Python 0.8274  US$ 4983.0  US$ 2713.7")?;

    writeln!(out, "\nPublished examples:")?;
    for (input, published) in PUBLISHED {
        let InsuranceChargesModelInput { age, sex, bmi, children, smoker, region } = input;
        let charges = trained.model.charges(&input);
        writeln!(
            out,
            "  age {age}, {sex:?}, bmi {bmi}, {children} children, smoker: {smoker}, {region:?}: \
             US$ {charges:.2} (Python: US$ {published:.2})"
        )?;
    }
    Ok(())
}

/// Writes a line for each combination with its best number of trees, then the choice.
fn write_candidates(out: &mut String, choice: &Choice) -> fmt::Result {
    writeln!(
        out,
        "Cross-validated on the training rows, {} folds for each candidate.",
        choice.folds
    )?;
    writeln!(out, "Of each combination, the number of trees with the best mean:")?;
    writeln!(out, "{HEADING}")?;
    let mut shown: Vec<&Candidate> = Vec::new();
    for candidate in &choice.candidates {
        match shown.last_mut() {
            Some(last) if same_combination(last, candidate) => {
                if candidate.mean > last.mean {
                    *last = candidate;
                }
            }
            _ => shown.push(candidate),
        }
    }
    shown.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    for candidate in shown {
        write_candidate(out, choice, candidate)?;
    }
    let close = choice.candidates.iter().filter(|candidate| choice.is_close(candidate)).count();
    writeln!(
        out,
        "* within {NO_DIFFERENCE} of the best mean: {close} of all {} candidates",
        choice.candidates.len()
    )?;
    writeln!(out, "\nBest mean:\n{HEADING}")?;
    write_candidate(out, choice, choice.best())?;
    writeln!(out, "Chosen, the lowest mean absolute error of those marked *:\n{HEADING}")?;
    write_candidate(out, choice, choice.winner())
}

const HEADING: &str =
    "  features     unit     depth  leaf rows  trees  mean r2   std. error  mean MAE";

fn write_candidate(out: &mut String, choice: &Choice, candidate: &Candidate) -> fmt::Result {
    let settings = &candidate.settings;
    writeln!(
        out,
        "  {:<11}  {:<7}  {:>5}  {:>9}  {:>5}  {:.5}{}      {:.4}    {:>6.1}",
        settings.features.name(),
        settings.unit.name(),
        settings.depth,
        settings.leaf_rows,
        settings.trees * MEMBERS,
        candidate.mean,
        if choice.is_close(candidate) { '*' } else { ' ' },
        candidate.error,
        candidate.mae,
    )
}

fn same_combination(a: &Candidate, b: &Candidate) -> bool {
    let mut settings = a.settings;
    settings.trees = b.settings.trees;
    settings == b.settings
}
