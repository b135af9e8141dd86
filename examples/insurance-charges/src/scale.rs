//! Conversion of the trees' sum to US dollars.

/// Unit of the trees' values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Dollars,
    /// The square root of dollars. The variance of charges grows with the charges, that of their roots hardly.
    Root,
}

impl Unit {
    /// Both units.
    pub const ALL: [Self; 2] = [Self::Dollars, Self::Root];

    /// Returns the name in the artefact.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dollars => "dollars",
            Self::Root => "root",
        }
    }

    /// Converts US dollars to this unit.
    pub fn from_dollars(self, dollars: f64) -> f64 {
        match self {
            Self::Dollars => dollars,
            Self::Root => dollars.sqrt(),
        }
    }

    /// Converts a number in this unit to US dollars.
    pub fn to_dollars(self, number: f64) -> f64 {
        match self {
            Self::Dollars => number,
            // A negative sum must not become a positive square.
            Self::Root => number.max(0.0) * number.max(0.0),
        }
    }
}

/// Conversion of a sum to a prediction: the unit, then a line, then a minimum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub unit: Unit,
    /// Intercept of the line. The line corrects a bias of the unit: the square of a mean root is below the mean.
    pub intercept: f64,
    pub slope: f64,
    /// Minimum of all predictions: the lowest charge of the training rows. A sum may be below it.
    pub floor: f64,
}

impl Scale {
    /// Creates a scale that only converts the unit.
    pub const fn plain(unit: Unit) -> Self {
        Self { unit, intercept: 0.0, slope: 1.0, floor: 0.0 }
    }

    /// Converts a sum to US dollars.
    pub fn dollars(&self, sum: f64) -> f64 {
        (self.intercept + self.slope * self.unit.to_dollars(sum)).max(self.floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_are_inverse() {
        for unit in Unit::ALL {
            assert_eq!(unit.to_dollars(unit.from_dollars(14_400.0)), 14_400.0);
        }
        assert_eq!(Unit::Root.from_dollars(14_400.0), 120.0);
    }

    #[test]
    fn the_unit_comes_before_the_line_and_the_floor_last() {
        let scale = Scale { unit: Unit::Root, intercept: 250.0, slope: 1.5, floor: 1000.0 };
        assert_eq!(scale.dollars(100.0), 15_250.0);
        assert_eq!(scale.dollars(10.0), 1000.0);
        assert_eq!(scale.dollars(-100.0), 1000.0);
    }
}
