//! The input of both models: an application for a loan.
//!
//! The categories are those of the Statlog German credit data. Its columns on sex, marital status and foreign
//! workers are left out, because a lender must not decide by them.

use ml_model_core::{LogValue, Sensitive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Application for a loan.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Application {
    /// Number of the customer.
    pub customer_id: Sensitive<String>,
    /// Name of the customer, for the clerk. No model reads it.
    pub name: Sensitive<String>,
    /// Age in years.
    #[schemars(range(min = 18, max = 120))]
    pub age: Sensitive<u8>,
    /// Amount of the loan in Deutsche Mark.
    #[schemars(range(min = 1, max = 100_000))]
    pub amount: u32,
    /// Duration of the loan in months.
    #[schemars(range(min = 1, max = 120))]
    pub duration: u32,
    /// Installment rate: 1 is 35 % of the disposable income or more, 2 is 25 %, 3 is 20 %, 4 is less.
    #[schemars(range(min = 1, max = 4))]
    pub installment_rate: u8,
    pub checking_account: CheckingAccount,
    pub credit_history: CreditHistory,
    pub purpose: Purpose,
    pub savings: Sensitive<Savings>,
    pub employment: Employment,
    pub guarantee: Guarantee,
    pub property: Property,
    pub other_plans: OtherPlans,
    pub housing: Housing,
}

/// Balance of the checking account at this bank, in Deutsche Mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "snake_case")]
pub enum CheckingAccount {
    Overdrawn,
    Below200,
    /// 200 or more, or a salary paid into it for a year.
    From200,
    /// There is no account at this bank.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "snake_case")]
pub enum CreditHistory {
    /// No loans, or all of them paid back duly.
    NoneOrPaid,
    /// All loans at this bank paid back duly.
    PaidHere,
    /// Existing loans paid back duly until now.
    PaidUntilNow,
    Delayed,
    /// A critical account, or loans at other banks.
    Critical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    NewCar,
    UsedCar,
    Furniture,
    RadioOrTelevision,
    Appliances,
    Repairs,
    Education,
    Retraining,
    Business,
    Other,
}

/// Savings and bonds, in Deutsche Mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "snake_case")]
pub enum Savings {
    Below100,
    Below500,
    Below1000,
    From1000,
    UnknownOrNone,
}

/// Years in the present employment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "snake_case")]
pub enum Employment {
    Unemployed,
    Below1Year,
    Below4Years,
    Below7Years,
    From7Years,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    None,
    CoApplicant,
    Guarantor,
}

/// The most valuable property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    RealEstate,
    LifeInsurance,
    CarOrOther,
    UnknownOrNone,
}

/// Installment plans elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "snake_case")]
pub enum OtherPlans {
    Bank,
    Stores,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "snake_case")]
pub enum Housing {
    Own,
    Rent,
    Free,
}
