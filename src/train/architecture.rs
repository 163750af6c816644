//! Architectures by name: every network in its published sizes, and in sizes that a computer without a card can train.

use std::path::Path;

use super::error::TrainError;
use crate::model::config::ModelConfig;
use crate::model::weights::bundle;
use crate::model::{Registry, registry};

/// The end of the name of a small architecture.
const SMALL: &str = "-small";

/// The small architectures, of about three million parameters each. A file of the repository belongs to each name.
const FILES: [(&str, &str); 7] = [
    ("himix", include_str!("../../assets/architectures/himix-small.json")),
    ("guidedecoder", include_str!("../../assets/architectures/guidedecoder-small.json")),
    ("lvit", include_str!("../../assets/architectures/lvit-small.json")),
    ("medsam", include_str!("../../assets/architectures/medsam-small.json")),
    ("mmiunet", include_str!("../../assets/architectures/mmiunet-small.json")),
    ("transunet", include_str!("../../assets/architectures/transunet-small.json")),
    ("unet", include_str!("../../assets/architectures/unet-small.json")),
];

/// The names that may stand in place of a file: each network in its published sizes, and with the end `-small` in sizes
/// of about three million parameters.
pub fn architecture_names(registry: &Registry) -> Vec<String> {
    let small =
        |name: &'static str| FILES.iter().any(|(known, _)| *known == name).then(|| format!("{name}{SMALL}"));
    registry.names().flat_map(|name| [Some(name.to_owned()), small(name)]).flatten().collect()
}

/// The architecture in a file, or with a name of [`architecture_names`]. A file goes before a name.
///
/// # Errors
/// There is neither a file nor an architecture of this name, or the file is no configuration.
pub fn of_path(registry: &Registry, path: &Path) -> Result<ModelConfig, TrainError> {
    let name = path.to_str().unwrap_or_default();
    let names = architecture_names(registry);
    if path.is_file() || !names.iter().any(|known| known == name) {
        let is_word = !name.is_empty() && path.extension().is_none() && path.components().count() == 1;
        if is_word && !path.exists() {
            let all = names.join(", ");
            return Err(TrainError::Config(format!(
                "architecture {name}: there is neither a file nor an architecture of this name; the names are {all}"
            )));
        }
        return Ok(bundle::read_config_in(registry, path)?);
    }
    let small = name.strip_suffix(SMALL).and_then(|network| FILES.iter().find(|(known, _)| *known == network));
    let text = match small {
        Some((_, text)) => (*text).to_owned(),
        None => registry::published_text(name),
    };
    registry.parse(&text).map_err(|error| TrainError::Config(format!("architecture {name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_has_its_published_and_its_small_sizes() {
        let registry = Registry::default();
        let names = architecture_names(&registry);
        assert_eq!(names[..2], ["himix", "himix-small"]);
        for name in registry.names() {
            let [published, small] = [name.to_owned(), format!("{name}{SMALL}")].map(|path| {
                let config = of_path(&registry, Path::new(&path)).expect("an architecture");
                assert_eq!(config.network.name(), name, "{path}");
                config.network
            });
            let count = |network: &dyn crate::model::Network| {
                let model = network.build(&crate::device::cpu().device).expect("a model");
                let mut count = 0;
                model.visit_parameters(&mut |_, parameter| count += parameter.shape().iter().product::<usize>());
                count
            };
            let (whole, small) = (count(&*published), count(&*small));
            assert!((1_500_000..4_500_000).contains(&small) && small < whole / 3, "{name}: {small} of {whole}");
        }
    }

    #[test]
    fn a_file_goes_before_a_name_and_an_unknown_name_lists_the_known_ones() {
        let registry = Registry::default();
        let error = of_path(&registry, Path::new("himx")).expect_err("unknown").to_string();
        assert!(error.contains("himix, himix-small"), "{error}");
        let error = of_path(&registry, Path::new("nowhere/himix.json")).expect_err("missing").to_string();
        assert!(error.contains("nowhere/himix.json"), "{error}");
    }
}
