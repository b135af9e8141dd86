//! Fits gradient-boosted trees with smartcore and converts them to [`Tree`]s.
//!
//! A model is the average of several boosted models that sample their rows with different seeds. With few rows, a
//! single model depends strongly on its sample; the average reduces that.
//!
//! smartcore fits on one thread, sorts exactly instead of binning, and samples with a seeded generator. The same rows
//! and settings therefore give the same trees.

use serde::Deserialize;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::xgboost::{XGRegressor, XGRegressorParameters};

use super::data::Row;
use super::error::TrainError;
use insurance_charges::features::{Feature, features};
use insurance_charges::scale::{Scale, Unit};
use insurance_charges::trees::{Tree, TreeEnsemble};

/// Number of boosted models in the average.
pub const MEMBERS: usize = 10;
/// Factor of each tree's values.
const LEARNING_RATE: f64 = 0.1;
/// Share of the rows that is sampled for each tree.
const SUBSAMPLE: f64 = 0.7;
/// L2 regularisation of leaf values; none.
const LAMBDA: f64 = 0.0;

type Matrix = DenseMatrix<f64>;
type Regressor = XGRegressor<f64, f64, Matrix, Vec<f64>>;

/// Features that the trees may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureSet {
    /// The fields of an input except sex and region.
    Core,
    /// [`FeatureSet::Core`] and the body mass index of smokers.
    Interaction,
}

impl FeatureSet {
    /// Returns the features, in the order of the matrix columns.
    pub const fn features(self) -> &'static [Feature] {
        use Feature as F;
        match self {
            Self::Core => &[F::Age, F::Bmi, F::Children, F::Smoker],
            Self::Interaction => &[F::Age, F::Bmi, F::Children, F::Smoker, F::SmokerBmi],
        }
    }

    /// Returns the name of the set in the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Interaction => "interaction",
        }
    }
}

/// Settings of a fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub features: FeatureSet,
    pub unit: Unit,
    pub depth: u16,
    /// Minimum number of rows in a leaf.
    pub leaf_rows: usize,
    /// Number of trees of each boosted model.
    pub trees: usize,
}

/// Fits a model to rows.
///
/// # Errors
/// Fails if smartcore fails.
pub fn fit(rows: &[Row], settings: &Settings) -> Result<TreeEnsemble, TrainError> {
    let mut ensemble = grow(rows, settings)?;
    let sum = |row: &Row| {
        let features = features(&row.input);
        let last = ensemble.sums(&features).last();
        last.unwrap_or_default()
    };
    let sums: Vec<f64> = rows.iter().map(sum).collect();
    ensemble.set_scale(scale(settings.unit, &sums, rows));
    Ok(ensemble)
}

/// Fits the trees without the line and the floor of a [`scale`].
///
/// The trees of the boosted models alternate. The first `n * MEMBERS` trees are therefore the same as those of a fit
/// with `n` trees.
///
/// # Errors
/// Fails if smartcore fails.
pub fn grow(rows: &[Row], settings: &Settings) -> Result<TreeEnsemble, TrainError> {
    let mut members = Vec::new();
    let mut base = 0.0;
    for member in 1..=MEMBERS {
        let (regressor, member_base) = fit_library(rows, settings, member as u64)?;
        members.push(export(&regressor, settings.features)?.into_iter());
        base = member_base;
    }
    let mut ensemble = TreeEnsemble::new(base, Scale::plain(settings.unit));
    for _ in 0..settings.trees {
        for tree in members.iter_mut().filter_map(Iterator::next) {
            ensemble.push(&tree);
        }
    }
    Ok(ensemble)
}

/// Fits the conversion of sums to dollars: a line by least squares, and the lowest charge as the floor.
pub fn scale(unit: Unit, sums: &[f64], rows: &[Row]) -> Scale {
    let charges = || rows.iter().map(|row| row.charges);
    let mut scale = Scale { floor: charges().fold(f64::INFINITY, f64::min), ..Scale::plain(unit) };
    // In dollars the trees already minimise the squared error.
    if unit != Unit::Dollars {
        let dollars = || sums.iter().map(|sum| unit.to_dollars(*sum));
        let mean_dollars = dollars().sum::<f64>() / sums.len() as f64;
        let mean_charges = charges().sum::<f64>() / sums.len() as f64;
        let spread: f64 = dollars().map(|d| (d - mean_dollars).powi(2)).sum();
        let joint = dollars().zip(charges());
        let joint: f64 = joint.map(|(d, c)| (d - mean_dollars) * (c - mean_charges)).sum();
        if spread > 0.0 {
            scale.slope = joint / spread;
        }
        scale.intercept = mean_charges - scale.slope * mean_dollars;
    }
    scale
}

fn fit_library(
    rows: &[Row],
    settings: &Settings,
    seed: u64,
) -> Result<(Regressor, f64), TrainError> {
    let charges = rows.iter().map(|row| row.charges);
    let targets: Vec<f64> = charges.map(|c| settings.unit.from_dollars(c)).collect();
    let base = targets.iter().sum::<f64>() / targets.len() as f64;
    let parameters = XGRegressorParameters::default()
        .with_base_score(base)
        .with_n_estimators(settings.trees)
        .with_max_depth(settings.depth)
        .with_learning_rate(LEARNING_RATE)
        // The squared error gives every row the weight 1, so the child weight is a number of rows.
        .with_min_child_weight(settings.leaf_rows)
        .with_subsample(SUBSAMPLE)
        .with_lambda(LAMBDA)
        .with_seed(seed);
    let regressor = XGRegressor::fit(&matrix(rows, settings.features)?, &targets, parameters)
        .map_err(|error| TrainError::Library(error.to_string()))?;
    Ok((regressor, base))
}

fn matrix(rows: &[Row], set: FeatureSet) -> Result<Matrix, TrainError> {
    let values = rows.iter().map(|row| {
        let all = features(&row.input);
        set.features().iter().map(|feature| all[*feature as usize]).collect()
    });
    DenseMatrix::from_2d_vec(&values.collect())
        .map_err(|error| TrainError::Library(error.to_string()))
}

/// The serialised form of a fitted regressor, reduced to the fields in use.
#[derive(Deserialize)]
struct Fitted {
    regressors: Vec<FittedTree>,
}

#[derive(Deserialize)]
struct FittedTree {
    left: Option<Box<FittedTree>>,
    right: Option<Box<FittedTree>>,
    value: f64,
    threshold: f64,
    split_feature_idx: usize,
}

/// Converts the trees of a fitted regressor. smartcore keeps them private but serialises them.
fn export(regressor: &Regressor, set: FeatureSet) -> Result<Vec<Tree>, TrainError> {
    let fitted: Fitted = serde_json::from_value(serde_json::to_value(regressor)?)?;
    let trees = fitted.regressors.into_iter();
    trees.map(|tree| convert(tree, set)).collect()
}

fn convert(tree: FittedTree, set: FeatureSet) -> Result<Tree, TrainError> {
    let (Some(low), Some(high)) = (tree.left, tree.right) else {
        return Ok(Tree::Leaf(LEARNING_RATE * tree.value / MEMBERS as f64));
    };
    let feature = set.features().get(tree.split_feature_idx).ok_or_else(|| {
        TrainError::Library(format!("a tree splits on unknown feature {}", tree.split_feature_idx))
    })?;
    Ok(Tree::Split {
        feature: *feature,
        threshold: tree.threshold,
        low: Box::new(convert(*low, set)?),
        high: Box::new(convert(*high, set)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use insurance_charges::input::{InsuranceChargesModelInput, Region, Sex};

    fn rows() -> Vec<Row> {
        let row = |index: u8| {
            let smoker = index.is_multiple_of(5);
            let bmi = 18.0 + f64::from(index.wrapping_mul(37) % 29);
            let region = match index % 4 {
                0 => Region::Southwest,
                1 => Region::Southeast,
                2 => Region::Northwest,
                _ => Region::Northeast,
            };
            let input = InsuranceChargesModelInput {
                age: 18 + index % 47,
                sex: if index.is_multiple_of(2) { Sex::Male } else { Sex::Female },
                bmi,
                children: index % 6,
                smoker,
                region,
            };
            let charges = 250.0 * f64::from(input.age) + if smoker { 700.0 * bmi } else { 0.0 };
            Row { input, charges }
        };
        (0..200).map(row).collect()
    }

    fn settings(features: FeatureSet, unit: Unit, trees: usize) -> Settings {
        Settings { features, unit, depth: 3, leaf_rows: 3, trees }
    }

    #[test]
    fn exported_trees_predict_the_average_of_the_library_s_models() {
        let rows = rows();
        for set in [FeatureSet::Core, FeatureSet::Interaction] {
            for unit in Unit::ALL {
                let settings = settings(set, unit, 30);
                let mut library = vec![0.0; rows.len()];
                for member in 1..=MEMBERS {
                    let (regressor, _) = fit_library(&rows, &settings, member as u64).unwrap();
                    let answers = regressor.predict(&matrix(&rows, set).unwrap()).unwrap();
                    for (sum, answer) in library.iter_mut().zip(answers) {
                        *sum += answer / MEMBERS as f64;
                    }
                }
                let ensemble = grow(&rows, &settings).unwrap();
                assert_eq!(ensemble.len(), 30 * MEMBERS);
                for (row, library) in rows.iter().zip(library) {
                    let own = ensemble.sums(&features(&row.input)).last().unwrap();
                    assert!((own - library).abs() < 1e-9 * library, "{own} {library}");
                }
            }
        }
    }

    #[test]
    fn a_shorter_fit_is_a_prefix_of_a_longer_one() {
        let rows = rows();
        let [long, short] = [20, 12]
            .map(|trees| grow(&rows, &settings(FeatureSet::Core, Unit::Root, trees)).unwrap());
        for row in &rows {
            let features = features(&row.input);
            assert_eq!(long.sums(&features).nth(12 * MEMBERS - 1), short.sums(&features).last());
        }
    }

    #[test]
    fn the_line_is_fitted_by_least_squares() {
        let mut rows = rows();
        rows.truncate(3);
        for (row, charges) in rows.iter_mut().zip([5.0, 9.0, 13.0]) {
            row.charges = charges;
        }
        let found = scale(Unit::Root, &[1.0, 2.0_f64.sqrt(), 3.0_f64.sqrt()], &rows);
        assert!((found.slope - 4.0).abs() < 1e-9 && (found.intercept - 1.0).abs() < 1e-9);
        assert_eq!(found.floor, 5.0);
        // Equal sums determine no slope.
        let found = scale(Unit::Root, &[2.0, 2.0, 2.0], &rows);
        assert_eq!((found.slope, found.intercept), (1.0, 5.0));
        let found = scale(Unit::Dollars, &[1.0, 2.0, 3.0], &rows);
        assert_eq!((found.slope, found.intercept), (1.0, 0.0));
    }
}
