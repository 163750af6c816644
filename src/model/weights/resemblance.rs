//! Tells which network a file of weights looks like, for the message about a file that does not fit.
//!
//! Numbers in keys depend on sizes, and prefixes on the training code, so that only the pattern of a key counts: its
//! segments with every number replaced, under the prefix where most of them are found.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest;
use crate::model::Registry;
use crate::model::network::Network;

/// The share of a network's patterns that a file must have to look like it.
const LEAST_SHARE: f64 = 0.9;

/// A key with every number replaced by `#`.
fn pattern(key: &str) -> String {
    let mut pattern = String::with_capacity(key.len());
    let mut was_digit = false;
    for letter in key.chars() {
        let is_digit = letter.is_ascii_digit();
        match (is_digit, was_digit) {
            (true, true) => {}
            (true, false) => pattern.push('#'),
            (false, _) => pattern.push(letter),
        }
        was_digit = is_digit;
    }
    pattern
}

/// How well a file fits a network.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Fit {
    /// The share of the network's patterns that the file has.
    share: f64,
    /// The number of patterns that only one of both has.
    distance: usize,
}

/// Compares the patterns of a file with those of a network. A checkpoint may lack the separate part.
fn fit(network: &dyn Network, found: &BTreeSet<String>) -> Option<Fit> {
    let separate = network.separate_part();
    let all = manifest::parameters(network).ok()?;
    let needed: BTreeSet<String> = all
        .iter()
        .filter(|spec| separate.is_none_or(|part| !spec.name.starts_with(part)))
        .map(|spec| pattern(&spec.name))
        .collect();
    let auxiliary = network.auxiliary();
    let others = all.iter().chain(auxiliary.iter().map(|(spec, _)| spec)).map(|spec| pattern(&spec.name));
    let known: BTreeSet<String> = others.collect();
    // The prefix under which most of the needed patterns are.
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let longest = needed.iter().map(String::len).max().unwrap_or(0);
    for name in found {
        let starts = std::iter::once(0).chain(name.match_indices('.').map(|(at, _)| at + 1));
        for start in starts.filter(|start| name.len() - start <= longest) {
            if needed.contains(&name[start..]) {
                *counts.entry(&name[..start]).or_insert(0) += 1;
            }
        }
    }
    let (prefix, count) =
        counts.into_iter().max_by_key(|(prefix, count)| (*count, std::cmp::Reverse(prefix.len())))?;
    let own = found.iter().filter_map(|name| name.strip_prefix(prefix));
    let strange = own.filter(|name| !known.contains(*name) && !network.is_ignorable(name)).count();
    let missing = needed.len() - count;
    Some(Fit { share: count as f64 / needed.len().max(1) as f64, distance: missing + strange })
}

/// The name of the network of `registry` whose keys the file has, if it is another one than `network` and fits better.
pub fn other_network(
    registry: &Registry,
    network: &dyn Network,
    found: &BTreeMap<String, Vec<usize>>,
) -> Option<&'static str> {
    let found: BTreeSet<String> = found.keys().map(|key| pattern(key)).collect();
    let own = fit(network, &found).map_or(usize::MAX, |fit| fit.distance);
    let others = registry.published_networks().filter(|other| other.name() != network.name());
    let fits = others.filter_map(|other| Some((fit(other.as_ref(), &found)?, other.name())));
    let likely = fits.filter(|(fit, _)| fit.share >= LEAST_SHARE && fit.distance < own);
    likely.min_by_key(|(fit, _)| fit.distance).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of a network under a prefix.
    fn keys_of(network: &dyn Network, prefix: &str) -> BTreeMap<String, Vec<usize>> {
        let specs = manifest::parameters(network).expect("a network");
        specs.into_iter().map(|spec| (format!("{prefix}{}", spec.name), spec.shape)).collect()
    }

    #[test]
    fn the_keys_of_every_network_are_told_from_those_of_the_others() {
        let registry = Registry::default();
        for of_file in registry.published_networks() {
            for prefix in ["", "state_dict.model."] {
                let found = keys_of(of_file.as_ref(), prefix);
                for opened in registry.published_networks() {
                    let expected = Some(of_file.name()).filter(|name| *name != opened.name());
                    assert_eq!(
                        other_network(&registry, opened.as_ref(), &found),
                        expected,
                        "{prefix}{} opened as {}",
                        of_file.name(),
                        opened.name()
                    );
                }
            }
        }
    }

    #[test]
    fn other_sizes_a_missing_text_encoder_and_the_state_of_a_training_do_not_matter() {
        let registry = Registry::default();
        let text =
            r#"{ "network": "mmiunet", "vision": { "depths": [1, 1, 2, 1], "hidden_sizes": [8, 16, 32, 64] } }"#;
        let small = registry.parse(text).expect("sizes").network;
        let mut found = keys_of(small.as_ref(), "state_dict.model.");
        found.retain(|key, _| !key.contains("text_encoder.model.bert."));
        found.insert("optimizer_states.0.state.3.exp_avg".into(), vec![8]);
        let himix = registry.published().expect("sizes").network;
        assert_eq!(other_network(&registry, himix.as_ref(), &found), Some("mmiunet"));
    }

    #[test]
    fn a_file_of_no_network_looks_like_none() {
        let registry = Registry::default();
        let himix = registry.published().expect("sizes").network;
        let found = [("layer1.0.conv.weight", vec![3]), ("out.conv.conv.weight", vec![1])];
        let found = found.map(|(key, shape)| (key.to_owned(), shape)).into_iter().collect();
        assert_eq!(other_network(&registry, himix.as_ref(), &found), None);
        assert_eq!(other_network(&registry, himix.as_ref(), &BTreeMap::new()), None);
    }
}
