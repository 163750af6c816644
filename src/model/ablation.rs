//! The variants of a network that an ablation study compares.
//!
//! Hwang, Sim, Kim: "HiMix", WACV 2026, supplementary material, Tables 1 and 2.

use serde::{Deserialize, Serialize};

/// A variant of a network's architecture. Everything that it does not name is as published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ablation {
    /// The whole network: sequential groups in the order 3, 2, 1, learned weights, and the spectrum filter.
    Full,
    /// No grouping: every stage mixes all layers.
    NoGrouping,
    /// The groups 1, 2, 3 for the stages, coarse to fine.
    #[serde(rename = "order-123")]
    Order123,
    /// The groups 1, 3, 2.
    #[serde(rename = "order-132")]
    Order132,
    /// The groups 2, 1, 3.
    #[serde(rename = "order-213")]
    Order213,
    /// The groups 2, 3, 1.
    #[serde(rename = "order-231")]
    Order231,
    /// The groups 3, 1, 2.
    #[serde(rename = "order-312")]
    Order312,
    /// The plain mean of the layers of each sequential group.
    MeanPooling,
    /// Layers dealt to the groups in turn.
    Interleaved,
    /// Groups of layers whose outputs are alike.
    Clustering,
    /// The stage of group 1 reads no text.
    #[serde(rename = "without-g1")]
    WithoutG1,
    /// The stage of group 2 reads no text.
    #[serde(rename = "without-g2")]
    WithoutG2,
    /// The stage of group 3 reads no text.
    #[serde(rename = "without-g3")]
    WithoutG3,
    /// Every stage reads the last layer.
    LastLayer,
    /// No stage filters its input.
    NoFilter,
}

impl Ablation {
    /// All variants, in the order of the tables.
    pub const ALL: [Self; 15] = [
        Self::NoGrouping,
        Self::Order123,
        Self::Order132,
        Self::Order213,
        Self::Order231,
        Self::Order312,
        Self::Full,
        Self::MeanPooling,
        Self::Interleaved,
        Self::Clustering,
        Self::WithoutG1,
        Self::WithoutG2,
        Self::WithoutG3,
        Self::LastLayer,
        Self::NoFilter,
    ];

    /// The name in settings, on the command line and in folders.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::NoGrouping => "no-grouping",
            Self::Order123 => "order-123",
            Self::Order132 => "order-132",
            Self::Order213 => "order-213",
            Self::Order231 => "order-231",
            Self::Order312 => "order-312",
            Self::MeanPooling => "mean-pooling",
            Self::Interleaved => "interleaved",
            Self::Clustering => "clustering",
            Self::WithoutG1 => "without-g1",
            Self::WithoutG2 => "without-g2",
            Self::WithoutG3 => "without-g3",
            Self::LastLayer => "last-layer",
            Self::NoFilter => "no-filter",
        }
    }

    /// The variant in words, for tables and the interface.
    pub fn title(self) -> &'static str {
        match self {
            Self::Full => "Full model: sequential, order (3, 2, 1)",
            Self::NoGrouping => "No grouping",
            Self::Order123 => "Order (1, 2, 3)",
            Self::Order132 => "Order (1, 3, 2)",
            Self::Order213 => "Order (2, 1, 3)",
            Self::Order231 => "Order (2, 3, 1)",
            Self::Order312 => "Order (3, 1, 2)",
            Self::MeanPooling => "Mean pooling",
            Self::Interleaved => "Interleaved",
            Self::Clustering => "Clustering",
            Self::WithoutG1 => "Without G1",
            Self::WithoutG2 => "Without G2",
            Self::WithoutG3 => "Without G3",
            Self::LastLayer => "Last layer only",
            Self::NoFilter => "Without the spectrum filter (ASRM)",
        }
    }

    /// The variants of a table of the supplementary material: 1 (order of the groups), 2 (grouping and removal), or 3
    /// (mean and standard deviation over the images, of the whole network). `None` for any other number.
    pub fn of_table(number: u32) -> Option<Vec<Self>> {
        match number {
            1 => Some(Self::ALL[..7].to_vec()),
            2 => Some(vec![
                Self::MeanPooling,
                Self::Interleaved,
                Self::Clustering,
                Self::Full,
                Self::WithoutG1,
                Self::WithoutG2,
                Self::WithoutG3,
            ]),
            3 => Some(vec![Self::Full]),
            _ => None,
        }
    }

    /// The variants of a list such as `1, 2, last-layer`, in which a number stands for a table; each once.
    ///
    /// # Errors
    /// There is no such table or variant.
    pub fn list(text: &str) -> Result<Vec<Self>, String> {
        let mut all: Vec<Self> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let found = match part.parse() {
                Ok(table) => Self::of_table(table).ok_or_else(|| {
                    format!("there is no table {part}; the variants are those of tables 1, 2 and 3")
                })?,
                Err(_) => vec![Self::named(part)?],
            };
            all.extend(found);
        }
        let mut seen = Vec::new();
        all.retain(|variant| {
            let is_new = !seen.contains(variant);
            seen.push(*variant);
            is_new
        });
        Ok(all)
    }

    /// The variant with this name.
    ///
    /// # Errors
    /// There is no such variant; the message lists all.
    pub fn named(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|variant| variant.name() == name).ok_or_else(|| {
            let all = Self::ALL.map(Self::name).join(", ");
            format!("there is no variant '{name}'; the variants are {all}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_has_one_name_everywhere() {
        for variant in Ablation::ALL {
            assert_eq!(serde_json::to_value(variant).ok(), Some(variant.name().into()));
            assert_eq!(Ablation::named(variant.name()), Ok(variant));
        }
        assert!(Ablation::named("order-321").is_err_and(|error| error.contains("full")));
    }

    #[test]
    fn the_tables_have_the_rows_that_were_published() {
        let names = |table| Ablation::of_table(table).map(|list| list.into_iter().map(Ablation::name).collect());
        let first: Vec<&str> =
            vec!["no-grouping", "order-123", "order-132", "order-213", "order-231", "order-312", "full"];
        assert_eq!(names(1), Some(first));
        assert_eq!(Ablation::of_table(2).map(|list| list.len()), Some(7));
        assert_eq!(Ablation::of_table(4), None);
    }

    #[test]
    fn a_list_has_tables_and_names_and_each_variant_once() {
        assert_eq!(Ablation::list("1, 2").map(|list| list.len()), Ok(13));
        assert_eq!(Ablation::list("full,last-layer , full"), Ok(vec![Ablation::Full, Ablation::LastLayer]));
        assert_eq!(Ablation::list(" "), Ok(vec![]));
        assert!(Ablation::list("4").is_err_and(|error| error.contains("no table 4")));
        assert!(Ablation::list("whole").is_err_and(|error| error.contains("no variant 'whole'")));
    }
}
