//! Finds the network in a checkpoint. Training code wraps a network before it saves it (`DataParallel` adds
//! `module.` to every key, `torch.compile` adds `_orig_mod.`, Lightning adds the name of the attribute) and stores
//! other data with it: a moving average of the weights, a loss with parameters, the state of the optimiser. The
//! network is found by its keys: its prefix is the one under which every key that the architecture needs exists
//! with its shape.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::check::has_shape;
use super::{TensorSource, WeightsError, manifest, source};
use crate::model::key_table::KeySpec;
use crate::model::network::Network;

/// Prefixes that training or saving adds to a network and that have no other meaning.
const WRAPPERS: &[&str] = &[
    "state_dict",
    "model_state_dict",
    "module",
    "_orig_mod",
    "_forward_module",
    "_fsdp_wrapped_module",
    "model",
    "net",
    "network",
];
/// Wrappers that may also occur within a key if a part of the network was wrapped. No key of the authors contains
/// them.
const INNER_WRAPPERS: &[&str] = &["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];
/// Words in the name of a copy of the weights that was averaged during training.
const AVERAGES: &[&str] = &["ema", "swa", "avg", "average", "averaged", "shadow", "teacher", "momentum"];
/// Parts of the names under which training code stores its state. It is not mentioned that these are not weights.
const OF_TRAINING: &[&str] = &["optim", "sched", "scaler", "rng"];
/// The number of names that a message lists before it counts the rest.
const SHOWN: usize = 3;

/// A file that contains the network under some prefix, presented under the authors' keys.
struct Rooted {
    inner: Box<dyn TensorSource>,
    prefix: String,
    /// Maps the authors' keys to those of the file.
    names: BTreeMap<String, String>,
    notices: Vec<String>,
}

impl TensorSource for Rooted {
    fn path(&self) -> &Path {
        self.inner.path()
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let mut shapes = self.inner.shapes();
        let names = self.names.iter();
        names.filter_map(|(ours, theirs)| Some((ours.clone(), shapes.remove(theirs)?))).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let missing =
            || WeightsError::file(self.path(), format!("there is no tensor {name}; choose another file"));
        self.inner.read(self.names.get(name).ok_or_else(missing)?)
    }

    fn prefix(&self) -> &str {
        &self.prefix
    }

    fn notices(&self) -> &[String] {
        &self.notices
    }
}

/// Opens a weights file of this architecture, whatever prefix the network has in it. If no set of tensors is
/// complete, the one with the fewest missing tensors is used, so that [`super::load::check`] names what is
/// missing. A checkpoint may lack its separate part, the text encoder.
///
/// # Errors
/// The file cannot be read, or it contains two complete sets and nothing indicates which one is the network.
pub fn open(path: &Path, network: &dyn Network) -> Result<Box<dyn TensorSource>, WeightsError> {
    rooted(source::open(path)?, network)
}

fn rooted(inner: Box<dyn TensorSource>, network: &dyn Network) -> Result<Box<dyn TensorSource>, WeightsError> {
    let path = inner.path().to_path_buf();
    let needed = manifest::parameters(network).map_err(|error| WeightsError::config(&path, error.to_string()))?;
    let is_separate = |spec: &&KeySpec| network.separate_part().is_some_and(|part| spec.name.starts_with(part));
    let without_separate: Vec<KeySpec> = needed.iter().filter(|spec| !is_separate(spec)).cloned().collect();
    let shapes = inner.shapes();
    let plain: BTreeMap<&str, &str> = shapes.keys().map(|name| (name.as_str(), name.as_str())).collect();
    let bare_names: BTreeMap<String, &str> = shapes.keys().map(|name| (bare(name), name.as_str())).collect();
    // If two names differ only in a wrapper, wrappers must not be removed.
    let unwrapped: BTreeMap<&str, &str> = match bare_names.len() == shapes.len() {
        true => bare_names.iter().map(|(seen, name)| (seen.as_str(), *name)).collect(),
        false => BTreeMap::new(),
    };
    let attempts =
        [(&needed, &plain), (&needed, &unwrapped), (&without_separate, &plain), (&without_separate, &unwrapped)];
    for (needed, seen) in attempts {
        let complete = roots(needed, seen, &shapes).into_iter().filter(|(_, fitting)| *fitting == needed.len());
        let mut complete: Vec<&str> = complete.map(|(prefix, _)| prefix).collect();
        complete.sort_by_key(|prefix| (claim(prefix), *prefix));
        match complete[..] {
            [] => {}
            [first, second, ..] if claim(first) == claim(second) => {
                let reason = format!(
                    "it holds two complete sets of weights, under {first} and under {second}; save the one that is meant on its own"
                );
                return Err(WeightsError::file(&path, reason));
            }
            [prefix, ref others @ ..] => {
                let (names, left_out) = own(network, seen, prefix, &needs(network, needed));
                let notices = notices(&path, prefix, others, &left_out);
                let prefix = prefix.to_owned();
                return Ok(Box::new(Rooted { prefix, names, notices, inner }));
            }
        }
    }
    let best = roots(&needed, &plain, &shapes).into_iter().max_by_key(|(prefix, fitting)| {
        // If two sets lack the same number of tensors, the one with the better claim is used.
        (*fitting, std::cmp::Reverse((claim(prefix), *prefix)))
    });
    let prefix = best.map_or("", |(prefix, _)| prefix).to_owned();
    let rest = |name: &str| name.strip_prefix(prefix.as_str()).map(|ours| (ours.to_owned(), name.to_owned()));
    let names = plain.keys().filter_map(|name| rest(name)).collect();
    Ok(Box::new(Rooted { prefix, names, notices: Vec::new(), inner }))
}

/// Every prefix that is followed by a key of the architecture, with the number of keys that have the right shape.
fn roots<'a>(
    needed: &[KeySpec],
    seen: &BTreeMap<&'a str, &str>,
    shapes: &BTreeMap<String, Vec<usize>>,
) -> HashMap<&'a str, usize> {
    let needed: HashMap<&str, &KeySpec> = needed.iter().map(|spec| (spec.name.as_str(), spec)).collect();
    let longest = needed.keys().map(|name| name.len()).max().unwrap_or(0);
    let mut found = HashMap::new();
    for (&name, &theirs) in seen {
        let Some(shape) = shapes.get(theirs) else { continue };
        let starts = std::iter::once(0).chain(name.match_indices('.').map(|(at, _)| at + 1));
        // A suffix longer than any key need not be looked up.
        for start in starts.filter(|start| name.len() - start <= longest) {
            if let Some(spec) = needed.get(&name[start..]) {
                *found.entry(&name[..start]).or_insert(0) += usize::from(has_shape(spec, shape));
            }
        }
    }
    found
}

/// Ranks the prefix of a set of weights; a lower rank makes it more likely that the set is the network. Prefixes
/// of wrappers come first (the fewer the better), then other names, then names of averages.
fn claim(prefix: &str) -> (usize, usize) {
    let segments: Vec<&str> = prefix.split_terminator('.').collect();
    let is_average = |segment: &&str| {
        let lower = segment.to_lowercase();
        lower.split(|letter: char| !letter.is_alphanumeric()).any(|word| AVERAGES.contains(&word))
    };
    if segments.iter().all(|segment| WRAPPERS.contains(segment)) {
        (0, segments.len())
    } else if segments.iter().any(is_average) {
        (2, 0)
    } else {
        (1, 0)
    }
}

/// The first segments of the network's keys, including those of its auxiliary tensors.
fn needs(network: &dyn Network, needed: &[KeySpec]) -> BTreeSet<String> {
    let auxiliary = network.auxiliary();
    let names = needed.iter().chain(auxiliary.iter().map(|(spec, _)| spec)).map(|spec| head(&spec.name));
    names.map(str::to_owned).collect()
}

fn head(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// Returns the network's keys with the corresponding names in the file, and the names of the file's other tensors.
/// A part of its own kind that the network does not have, such as an additional stage, is kept because it
/// indicates another network.
fn own<'a>(
    network: &dyn Network,
    seen: &BTreeMap<&'a str, &'a str>,
    prefix: &str,
    heads: &BTreeSet<String>,
) -> (BTreeMap<String, String>, Vec<&'a str>) {
    let mut names = BTreeMap::new();
    let mut left_out = Vec::new();
    for (&name, &theirs) in seen {
        match name.strip_prefix(prefix) {
            Some(ours) if heads.contains(head(ours)) || network.is_own_part(head(ours)) => {
                names.insert(ours.to_owned(), theirs.to_owned());
            }
            _ => left_out.push(theirs),
        }
    }
    (names, left_out)
}

/// Messages for the user about a file that contains more than the network.
fn notices(path: &Path, prefix: &str, others: &[&str], left_out: &[&str]) -> Vec<String> {
    let mut notices = Vec::new();
    let path = path.display();
    let place = |prefix: &str| match prefix {
        "" => "without a prefix".to_owned(),
        prefix => format!("under {prefix}"),
    };
    if !others.is_empty() {
        let second: Vec<String> = others.iter().map(|other| place(other)).collect();
        let (sets, them) = if others.len() == 1 { ("set", "is") } else { ("sets", "are") };
        notices.push(format!(
            "{path}: the weights {} are used; the other complete {sets} {} {them} left out",
            place(prefix),
            second.join(", ")
        ));
    }
    let is_said = |name: &str| {
        let of_other = others.iter().any(|other| !other.is_empty() && name.starts_with(other));
        let lower = head(name).to_lowercase();
        of_other || OF_TRAINING.iter().any(|part| lower.contains(part))
    };
    let rest: Vec<&str> = left_out.iter().copied().filter(|name| !is_said(name)).collect();
    if !rest.is_empty() {
        let shown = rest[..rest.len().min(SHOWN)].join(", ");
        let more = if rest.len() > SHOWN { ", …" } else { "" };
        let tensors = if rest.len() == 1 { "tensor is" } else { "tensors are" };
        notices
            .push(format!("{path}: {} {tensors} no part of the network and left out ({shown}{more})", rest.len()));
    }
    notices
}

/// The name without the wrappers in it.
fn bare(name: &str) -> String {
    name.split('.').filter(|segment| !INNER_WRAPPERS.contains(segment)).collect::<Vec<_>>().join(".")
}

/// The common prefix of all names that consists of wrappers, for files whose keys are not those of the network.
pub(super) fn common_wrapper(names: &[String]) -> String {
    let mut prefix = String::new();
    let Some(first) = names.first() else { return prefix };
    for segment in first.split('.') {
        let longer = format!("{prefix}{segment}.");
        if !WRAPPERS.contains(&segment) || !names.iter().all(|name| name.starts_with(&longer)) {
            break;
        }
        prefix = longer;
    }
    prefix
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::model::Registry;
    use crate::model::weights::load;

    /// Names and shapes without values. Reading returns the length of the name in the file, which tells which
    /// tensor was read.
    struct Listed(PathBuf, BTreeMap<String, Vec<usize>>);

    impl TensorSource for Listed {
        fn path(&self) -> &Path {
            &self.0
        }
        fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
            self.1.clone()
        }
        fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
            Ok(vec![name.len() as f32])
        }
    }

    fn network() -> Arc<dyn Network> {
        Registry::default().published().expect("sizes").network
    }

    /// The network's tensors under each of `prefixes`.
    fn under(prefixes: &[&str]) -> BTreeMap<String, Vec<usize>> {
        let needed = manifest::parameters(network().as_ref()).expect("an architecture");
        let each = |prefix: &&str| {
            let prefix = (*prefix).to_owned();
            needed.iter().map(move |spec| (format!("{prefix}{}", spec.name), spec.shape.clone()))
        };
        prefixes.iter().flat_map(each).collect()
    }

    fn open(shapes: BTreeMap<String, Vec<usize>>) -> Result<Box<dyn TensorSource>, WeightsError> {
        rooted(Box::new(Listed("x.ckpt".into(), shapes)), network().as_ref())
    }

    fn opened(shapes: BTreeMap<String, Vec<usize>>) -> Box<dyn TensorSource> {
        open(shapes).unwrap_or_else(|error| panic!("{error}"))
    }

    fn fits(source: &dyn TensorSource) -> bool {
        load::check(network().as_ref(), source).expect("compared").is_empty()
    }

    #[test]
    fn a_network_under_any_prefix_is_found() {
        let prefixes =
            ["", "module.", "_orig_mod.", "model.", "net.", "module._orig_mod.model.", "_orig_mod.module.net."];
        for prefix in prefixes.into_iter().chain(["state_dict.model.", "lit.backbone.segmenter."]) {
            let source = opened(under(&[prefix]));
            assert!(fits(source.as_ref()), "{prefix}");
            assert!(source.notices().is_empty(), "{prefix}: {:?}", source.notices());
            let read = source.read("out.conv.conv.weight").expect("read");
            assert_eq!(read, [(prefix.len() + "out.conv.conv.weight".len()) as f32], "{prefix}");
        }
    }

    #[test]
    fn a_wrapper_within_the_network_is_taken_out() {
        let inside = |name: String| name.replacen("encoder.model.", "encoder._orig_mod.model.", 1);
        let source = opened(under(&["model."]).into_iter().map(|(name, shape)| (inside(name), shape)).collect());
        assert!(fits(source.as_ref()));
        assert!(source.read("encoder.model.embeddings.patch_embeddings.weight").is_ok());
    }

    #[test]
    fn what_lies_beside_the_network_is_named_and_left_out() {
        let mut shapes = under(&["model."]);
        shapes.insert("criterion.weight".into(), vec![2]);
        shapes.insert("model.criterion.pos_weight".into(), vec![1]);
        shapes.insert("optimizer.state.0.exp_avg".into(), vec![3]);
        let source = opened(shapes);
        assert!(fits(source.as_ref()));
        let [notice] = source.notices() else { panic!("{:?}", source.notices()) };
        assert!(notice.contains("2 tensors") && notice.contains("criterion.weight"), "{notice}");
        assert!(notice.contains("model.criterion.pos_weight") && !notice.contains("exp_avg"), "{notice}");
        // The same without a prefix.
        let mut shapes = under(&[""]);
        shapes.insert("n_averaged".into(), vec![]);
        let source = opened(shapes);
        assert!(fits(source.as_ref()));
        assert!(source.notices()[0].contains("1 tensor is no part"), "{:?}", source.notices());
    }

    #[test]
    fn of_two_complete_sets_the_plain_one_is_taken_and_the_other_named() {
        for (prefixes, taken, other) in [
            (["ema.", "model."], "model.", "ema."),
            (["model_ema.module.", ""], "", "model_ema.module."),
            (["averaged_model.", "student."], "student.", "averaged_model."),
            (["model.", ""], "", "model."),
        ] {
            let source = opened(under(&prefixes));
            assert!(fits(source.as_ref()));
            assert_eq!(source.prefix(), taken);
            let [notice] = source.notices() else { panic!("{:?}", source.notices()) };
            assert!(notice.contains(&format!("under {other}")), "{notice}");
        }
        let error = open(under(&["model.", "net."])).err().expect("undecided").to_string();
        assert!(error.contains("model.") && error.contains("net.") && error.contains("; save"), "{error}");
    }

    #[test]
    fn what_is_missing_is_named_under_the_prefix_that_lacks_least() {
        let mut shapes = under(&["module.model."]);
        shapes.remove("module.model.out.conv.conv.weight");
        shapes.insert("ema.out.conv.conv.weight".into(), vec![1, 16, 1, 1]);
        let source = opened(shapes);
        let mismatch = load::check(network().as_ref(), source.as_ref()).expect("compared");
        assert_eq!(mismatch.missing, ["out.conv.conv.weight"]);
        let text = mismatch.to_string();
        assert!(
            text.contains("under module.model.") && text.contains("1 missing (out.conv.conv.weight)"),
            "{text}"
        );
    }

    #[test]
    fn a_stage_too_many_is_another_network() {
        let mut shapes = under(&["model."]);
        shapes.insert("model.decoder32.guide_layer.sig".into(), vec![]);
        let mismatch = load::check(network().as_ref(), opened(shapes).as_ref()).expect("compared");
        assert_eq!(mismatch.superfluous, ["decoder32.guide_layer.sig"]);
    }

    #[test]
    fn a_checkpoint_without_its_text_encoder_has_a_root_as_well() {
        let mut shapes = under(&["net."]);
        shapes.retain(|name, _| !name.contains("text_encoder.model.bert."));
        let source = opened(shapes);
        assert!(source.shapes().contains_key("out.conv.conv.weight"));
    }

    #[test]
    fn names_made_to_take_long_do_not() {
        let mut shapes = under(&[""]);
        shapes.insert("a.".repeat(1_000_000), vec![1]);
        let begin = std::time::Instant::now();
        assert!(fits(opened(shapes).as_ref()));
        assert!(begin.elapsed().as_secs() < 5);
    }
}
