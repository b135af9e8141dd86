//! What the trees count in, and how what they add up to becomes US dollars.

/// What the trees count in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Dollars,
    /// The square root of dollars. Charges vary the more the higher they are, and their roots much less so.
    Root,
}

impl Unit {
    /// Both units.
    pub const ALL: [Self; 2] = [Self::Dollars, Self::Root];

    /// The name that the artefact uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dollars => "dollars",
            Self::Root => "root",
        }
    }

    /// US dollars in this unit.
    pub fn from_dollars(self, dollars: f64) -> f64 {
        match self {
            Self::Dollars => dollars,
            Self::Root => dollars.sqrt(),
        }
    }

    /// A number in this unit as US dollars.
    pub fn to_dollars(self, number: f64) -> f64 {
        match self {
            Self::Dollars => number,
            // Trees may add up to less than nothing, which must not count as its opposite.
            Self::Root => number.max(0.0) * number.max(0.0),
        }
    }
}

/// How what the trees add up to becomes an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub unit: Unit,
    /// With the slope, a line that makes up for the unit: the square of a mean root falls short of the mean.
    pub intercept: f64,
    pub slope: f64,
    /// No answer is less: trees may add up to less than anyone was ever charged.
    pub floor: f64,
}

impl Scale {
    /// The unit without a line and without a floor.
    pub const fn plain(unit: Unit) -> Self {
        Self { unit, intercept: 0.0, slope: 1.0, floor: 0.0 }
    }

    /// The answer in US dollars.
    pub fn dollars(&self, sum: f64) -> f64 {
        (self.intercept + self.slope * self.unit.to_dollars(sum)).max(self.floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_units_lead_there_and_back() {
        for unit in Unit::ALL {
            assert_eq!(unit.to_dollars(unit.from_dollars(14_400.0)), 14_400.0);
        }
        assert_eq!(Unit::Root.from_dollars(14_400.0), 120.0);
    }

    #[test]
    fn a_sum_is_turned_into_dollars_then_straightened_then_kept_above_the_floor() {
        let scale = Scale { unit: Unit::Root, intercept: 250.0, slope: 1.5, floor: 1000.0 };
        assert_eq!(scale.dollars(100.0), 15_250.0);
        assert_eq!(scale.dollars(10.0), 1000.0);
        assert_eq!(scale.dollars(-100.0), 1000.0);
    }
}
