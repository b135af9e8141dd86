//! Measures of the quality of predictions.

/// Scores of a regression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// Coefficient of determination; 1 is perfect. Without variance it is 1 for exact predictions and otherwise 0.
    pub r2: f64,
    /// Root mean squared error, in US dollars.
    pub rmse: f64,
    /// Mean absolute error, in US dollars.
    pub mae: f64,
}

/// Scores predictions against the actual values.
pub fn score(actual: &[f64], predicted: &[f64]) -> Scores {
    let rows = actual.len() as f64;
    let mean = actual.iter().sum::<f64>() / rows;
    let total: f64 = actual.iter().map(|a| (a - mean) * (a - mean)).sum();
    let errors = || actual.iter().zip(predicted).map(|(a, p)| a - p);
    let squared: f64 = errors().map(|error| error * error).sum();
    Scores {
        r2: if total > 0.0 { 1.0 - squared / total } else { f64::from(u8::from(squared == 0.0)) },
        rmse: (squared / rows).sqrt(),
        mae: errors().map(f64::abs).sum::<f64>() / rows,
    }
}

/// Returns the mean of values and its standard error.
pub fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squared: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, (squared / (count - 1.0) / count).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_a_worked_example() {
        let scores = score(&[1.0, 2.0, 3.0, 6.0], &[1.0, 3.0, 3.0, 4.0]);
        assert!((scores.r2 - (1.0 - 5.0 / 14.0)).abs() < 1e-12);
        assert!((scores.rmse - 1.25_f64.sqrt()).abs() < 1e-12);
        assert!((scores.mae - 0.75).abs() < 1e-12);
    }

    #[test]
    fn mean_and_error_of_a_worked_example() {
        let (mean, error) = mean_and_error(&[1.0, 2.0, 3.0, 4.0]);
        assert!((mean - 2.5).abs() < 1e-12);
        assert!((error - (5.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
    }
}
