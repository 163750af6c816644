//! The variants of the supplementary material's Tables 1 and 2 as configurations.

use super::config::{FusionConfig, Grouping, HiMixConfig, Pooling};
use crate::model::ablation::Ablation;
use crate::model::config::ConfigError;

impl HiMixConfig {
    /// The configuration of a variant, with the sizes of this one. `clusters` are the groups of [`Ablation::Clustering`],
    /// G1 first; without them it has the sequential groups, which have the same cost.
    ///
    /// # Errors
    /// The variant needs three stages and there is another number, or its groups are invalid.
    pub fn ablation(&self, variant: Ablation, clusters: Option<Vec<Vec<usize>>>) -> Result<Self, ConfigError> {
        let stages = self.stage_count();
        let descending: Vec<usize> = (1..=stages).rev().collect();
        let published = FusionConfig { order: descending, ..FusionConfig::default() };
        let ordered = |order: [usize; 3]| FusionConfig { order: order.to_vec(), ..published.clone() };
        let grouped = |grouping| FusionConfig { grouping, ..published.clone() };
        let without = |number| FusionConfig { removed: vec![number], ..published.clone() };
        let fusion = match variant {
            Ablation::Full | Ablation::NoFilter => published,
            Ablation::NoGrouping => grouped(Grouping::None),
            Ablation::Order123 => ordered([1, 2, 3]),
            Ablation::Order132 => ordered([1, 3, 2]),
            Ablation::Order213 => ordered([2, 1, 3]),
            Ablation::Order231 => ordered([2, 3, 1]),
            Ablation::Order312 => ordered([3, 1, 2]),
            Ablation::MeanPooling => FusionConfig { pooling: Pooling::Mean, ..published },
            Ablation::Interleaved => grouped(Grouping::Interleaved),
            Ablation::Clustering => grouped(clusters.map_or(Grouping::Sequential, Grouping::Explicit)),
            Ablation::WithoutG1 => without(1),
            Ablation::WithoutG2 => without(2),
            Ablation::WithoutG3 => without(3),
            Ablation::LastLayer => grouped(Grouping::LastLayer),
        };
        let mut config = Self { fusion, ..self.clone() };
        config.decoder.spectrum_filter = variant != Ablation::NoFilter;
        let name = variant.name();
        config.validate().map_err(|ConfigError(reason)| ConfigError(format!("ablation {name}: {reason}")))?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The layers that each stage of the published network reads, coarse to fine; empty without text.
    fn layers(config: &HiMixConfig) -> Vec<Vec<usize>> {
        let groups = config.groups().expect("valid groups");
        let fusion = &config.fusion;
        let of = |number: &usize| {
            if fusion.removed.contains(number) { Vec::new() } else { groups[number - 1].clone() }
        };
        fusion.order.iter().map(of).collect()
    }

    fn variant(variant: Ablation) -> HiMixConfig {
        HiMixConfig::default().ablation(variant, None).expect("a configuration")
    }

    #[test]
    fn every_variant_is_another_network_and_full_is_the_published_one() {
        assert_eq!(variant(Ablation::Full), HiMixConfig::default());
        let clusters = || Some(vec![vec![1, 2], (3..=7).collect(), (8..=12).collect()]);
        let texts: HashSet<String> = Ablation::ALL
            .into_iter()
            .map(|variant| HiMixConfig::default().ablation(variant, clusters()).expect("a configuration"))
            .map(|config| serde_json::to_string(&config).expect("JSON"))
            .collect();
        assert_eq!(texts.len(), Ablation::ALL.len());
    }

    #[test]
    fn stages_read_the_layers_of_the_tables() {
        let [first, second, third]: [Vec<usize>; 3] = [(1..=4).collect(), (5..=8).collect(), (9..=12).collect()];
        assert_eq!(layers(&variant(Ablation::Full)), [third.clone(), second.clone(), first.clone()]);
        assert_eq!(layers(&variant(Ablation::Order231)), [second.clone(), third.clone(), first.clone()]);
        assert_eq!(layers(&variant(Ablation::Order312)), [third.clone(), first.clone(), second.clone()]);
        let all: Vec<usize> = (1..=12).collect();
        assert_eq!(layers(&variant(Ablation::NoGrouping)), [all.clone(), all.clone(), all]);
        assert_eq!(
            layers(&variant(Ablation::Interleaved)),
            [[3, 6, 9, 12].to_vec(), [2, 5, 8, 11].to_vec(), [1, 4, 7, 10].to_vec()]
        );
        // G1 feeds the finest stage.
        assert_eq!(layers(&variant(Ablation::WithoutG1)), [third.clone(), second.clone(), vec![]]);
        assert_eq!(layers(&variant(Ablation::WithoutG3)), [vec![], second.clone(), first.clone()]);
        assert_eq!(layers(&variant(Ablation::LastLayer)), [[12], [12], [12]]);
        assert!(!variant(Ablation::MeanPooling).has_learned_fusion());
        assert_eq!(layers(&variant(Ablation::MeanPooling)), [third, second, first]);
        assert!(!variant(Ablation::NoFilter).decoder.spectrum_filter);
    }

    #[test]
    fn clusters_are_kept_as_groups_and_faulty_ones_are_refused() {
        let groups = vec![vec![1], vec![2, 3, 4], (5..=12).collect::<Vec<_>>()];
        let clustered =
            HiMixConfig::default().ablation(Ablation::Clustering, Some(groups.clone())).expect("valid");
        assert_eq!(clustered.fusion.grouping, Grouping::Explicit(groups.clone()));
        assert_eq!(layers(&clustered), [groups[2].clone(), groups[1].clone(), groups[0].clone()]);
        let error = HiMixConfig::default()
            .ablation(Ablation::Clustering, Some(vec![vec![1], vec![2], vec![13]]))
            .expect_err("there are twelve layers");
        assert!(error.0.starts_with("ablation clustering: ") && error.0.contains("13"), "{error}");
    }

    #[test]
    fn a_network_of_two_stages_has_no_orders_of_three_groups() {
        let mut config = HiMixConfig::default();
        config.decoder.text_lengths = vec![24, 12];
        config.vision.hidden_sizes = vec![96, 192, 384];
        config.vision.depths = vec![3, 3, 9];
        config.fusion.order = vec![2, 1];
        assert_eq!(config.validate(), Ok(()));
        assert_eq!(config.ablation(Ablation::Full, None), Ok(config.clone()));
        let error = config.ablation(Ablation::Order123, None).expect_err("refused");
        assert!(error.0.contains("fusion.order must name each group from 1 to 2 once"), "{error}");
    }
}
