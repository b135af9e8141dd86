//! The artefact's text format: round trips, and the error on each kind of damage.

use insurance_charges::LoadError;
use insurance_charges::features::{COUNT, Feature};
use insurance_charges::scale::{Scale, Unit};
use insurance_charges::trees::{Tree, TreeEnsemble};
use proptest::collection::vec;
use proptest::prelude::*;

const SMALL: &str = "insurance-charges-trees 2\nunit dollars\nintercept 0\nslope 1\nfloor 1100\nbase 13000\n\
                     tree smoker<=0.5 =-500 bmi<=30.1 =900.5 =2100\ntree =7\nend 2\n";

fn amount() -> impl Strategy<Value = f64> {
    -1e9..=1e9
}

fn tree() -> impl Strategy<Value = Tree> {
    amount().prop_map(Tree::Leaf).prop_recursive(6, 64, 2, |inner| {
        (0..COUNT, amount(), inner.clone(), inner).prop_map(|(feature, threshold, low, high)| {
            Tree::Split {
                feature: Feature::ALL[feature],
                threshold,
                low: Box::new(low),
                high: Box::new(high),
            }
        })
    })
}

fn ensemble() -> impl Strategy<Value = TreeEnsemble> {
    let scale = (0..Unit::ALL.len(), amount(), amount(), 1e-6..=1e9).prop_map(
        |(unit, intercept, slope, floor)| Scale { unit: Unit::ALL[unit], intercept, slope, floor },
    );
    (amount(), scale, vec(tree(), 0..8)).prop_map(|(base, scale, trees)| {
        let mut ensemble = TreeEnsemble::new(base, scale);
        for tree in &trees {
            ensemble.push(tree);
        }
        ensemble
    })
}

#[test]
fn predictions_of_a_small_artefact() {
    let ensemble = TreeEnsemble::parse(SMALL).unwrap();
    assert_eq!((ensemble.len(), ensemble.leaves()), (2, 4));
    let mut features = [0.0; COUNT];
    assert_eq!(ensemble.predict(&features), 13000.0 - 500.0 + 7.0);
    features[Feature::Smoker as usize] = 1.0;
    features[Feature::Bmi as usize] = 30.1;
    assert_eq!(ensemble.predict(&features), 13000.0 + 900.5 + 7.0);
    features[Feature::Bmi as usize] = 30.2;
    assert_eq!(ensemble.predict(&features), 13000.0 + 2100.0 + 7.0);
    assert_eq!(ensemble.sums(&features).collect::<Vec<_>>(), [15100.0, 15107.0]);
}

#[test]
fn the_unit_root_is_squared_before_the_line() {
    let text = "insurance-charges-trees 2\nunit root\nintercept 250\nslope 1.5\nfloor 1100\nbase 105\n\
                tree smoker<=0.5 =-5 =21\nend 1\n";
    let ensemble = TreeEnsemble::parse(text).unwrap();
    assert_eq!(ensemble.to_string(), text);
    assert_eq!(ensemble.predict(&[0.0; COUNT]), 15_250.0);
}

#[test]
fn the_floor_is_the_minimum() {
    let text = "insurance-charges-trees 2\nunit dollars\nintercept 0\nslope 1\nfloor 1100\nbase 0\n\
                tree =-1\nend 1\n";
    assert_eq!(TreeEnsemble::parse(text).unwrap().predict(&[0.0; COUNT]), 1100.0);
}

#[test]
fn each_kind_of_damage_has_its_own_message() {
    let cases = [
        ("", "", "the artefact ends early: the first line is missing"),
        ("trees 2", "trees 1", "line 1 of the artefact: expected \"insurance-charges-trees 2\""),
        ("unit dollars", "unit log", "line 2 of the artefact: there is no unit called \"log\""),
        (
            "intercept 0",
            "slope 0",
            "line 3 of the artefact: expected \"intercept\", found \"slope 0\"",
        ),
        ("slope 1\n", "slope\n", "line 4 of the artefact: expected \"slope\", found \"slope\""),
        ("base 13000", "base", "line 6 of the artefact: expected \"base\", found \"base\""),
        ("base 13000", "base many", "line 6 of the artefact: \"many\" is not a number"),
        ("base 13000", "base NaN", "line 6 of the artefact: \"NaN\" is not a number"),
        ("base 13000", "base inf", "line 6 of the artefact: \"inf\" is not a number"),
        ("floor 1100", "floor 0", "line 5 of the artefact: the floor must be above zero"),
        ("bmi<=", "height<=", "line 7 of the artefact: the model has no feature called \"height\""),
        ("=900.5", "=9e99", "line 7 of the artefact: \"9e99\" is not a number from -1e9 to 1e9"),
        ("=900.5", "900.5", "line 7 of the artefact: expected a split or a leaf, found \"900.5\""),
        (" =2100", "", "line 7 of the artefact: the tree is incomplete"),
        ("=2100", "=2100 =1", "line 7 of the artefact: the tree continues after its last leaf"),
        ("tree =7\n", "", "the artefact declares 2 trees but contains 1"),
        ("end 2\n", "", "the artefact ends early: the end line is missing"),
        ("end 2\n", "end 2\ntree =1\n", "line 10 of the artefact: expected nothing after the end"),
    ];
    for (from, to, message) in cases {
        let damaged = if from.is_empty() { String::new() } else { SMALL.replacen(from, to, 1) };
        let error = TreeEnsemble::parse(&damaged).unwrap_err().to_string();
        let expected = message.replace('"', "");
        assert!(error.replace('"', "").starts_with(&expected), "{error}\nexpected\n{message}");
    }
}

#[test]
fn a_very_deep_tree_does_not_overflow_the_stack() {
    let text = SMALL.replacen("tree =7", &format!("tree{}", " age<=1".repeat(1_000_000)), 1);
    assert_eq!(TreeEnsemble::parse(&text), Err(LoadError::Incomplete { line: 8 }));
}

proptest! {
    #[test]
    fn ensembles_round_trip(ensemble in ensemble()) {
        let text = ensemble.to_string();
        let read = TreeEnsemble::parse(&text).unwrap();
        prop_assert_eq!(read.to_string(), text);
        let features = [0.5; COUNT];
        prop_assert_eq!(read.predict(&features).to_bits(), ensemble.predict(&features).to_bits());
    }

    #[test]
    fn a_truncated_artefact_is_refused(ensemble in ensemble(), share in 0.0..1.0_f64) {
        let text = ensemble.to_string();
        // The last byte is a line break, which is optional.
        let cut = (share * (text.len() - 1) as f64) as usize;
        prop_assert!(TreeEnsemble::parse(&text[..cut]).is_err());
    }

    #[test]
    fn arbitrary_text_is_refused(text in any::<String>()) {
        prop_assert!(TreeEnsemble::parse(&text).is_err());
    }

    #[test]
    fn an_accepted_artefact_predicts_a_positive_number(ensemble in ensemble(), at in any::<prop::sample::Index>(), byte in b' '..b'~') {
        let mut text = ensemble.to_string().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(read) = TreeEnsemble::parse(&String::from_utf8(text).unwrap()) {
            let answer = read.predict(&[0.5; COUNT]);
            prop_assert!(answer.is_finite() && answer > 0.0);
        }
    }
}
