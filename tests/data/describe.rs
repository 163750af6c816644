//! How often the rule that describes masks agrees with the annotated prompts of the shared pairs. The constants of the
//! rule come from training pairs; everything here is measured on others. `--nocapture` prints the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use himix::data::describe::{Description, Disagreement, Kind, agreement, compare, describe, main_side, recognise};
use himix::data::{Image, Mask, MaskRule, image, mask};
use himix::text::prompt::{LungFinding, Lungs, Polyps, Prompt, Side, Zone, parse};

use crate::common::shared;

struct Case {
    prompt: Prompt,
    mask: Mask,
    image: Image,
}

/// The rows `name, prompt` of the table of a split.
fn rows(folder: &Path, split: &str) -> Vec<(String, String)> {
    let table = folder.join(format!("prompt/{split}.csv"));
    let mut reader = csv::Reader::from_path(table).expect("the table of the split");
    reader.records().map(|row| row.expect("a row")).map(|row| (row[0].to_owned(), row[1].to_owned())).collect()
}

fn mask_of(folder: &Path, split: &str, name: &str) -> Mask {
    let masks = folder.join(split).join("GTs");
    let stem = Path::new(name).with_extension("png");
    let candidates = [masks.join(format!("mask_{}", stem.display())), masks.join(name)];
    let path = candidates.iter().find(|path| path.exists()).expect("the mask of an image");
    mask::load(path, &MaskRule::Half).expect("a mask")
}

fn cases(folder: &Path, split: &str) -> Vec<Case> {
    rows(folder, split)
        .into_iter()
        .map(|(name, text)| Case {
            prompt: parse(&text).prompt.expect("a prompt of the data set"),
            mask: mask_of(folder, split, &name),
            image: image::load(&folder.join(split).join("Images").join(&name)).expect("an image"),
        })
        .collect()
}

/// Counts how often something is true, by name.
#[derive(Default)]
struct Shares(BTreeMap<&'static str, [u32; 2]>);

impl Shares {
    fn add(&mut self, name: &'static str, is_true: bool) {
        let counts = self.0.entry(name).or_default();
        counts[0] += u32::from(is_true);
        counts[1] += 1;
    }

    fn share(&self, name: &str) -> f64 {
        let [count, all] = self.0[name];
        f64::from(count) / f64::from(all)
    }

    fn print(&self, title: &str) {
        println!("{title}");
        for (name, [count, all]) in &self.0 {
            println!("  {name}: {count} of {all} ({:.1} %)", 100.0 * f64::from(*count) / f64::from(*all));
        }
    }
}

fn places(findings: &[LungFinding]) -> BTreeSet<(Option<Side>, Zone)> {
    findings.iter().flat_map(|finding| finding.zones.iter().map(|zone| (finding.side, zone))).collect()
}

fn zones(findings: &[LungFinding]) -> BTreeSet<Zone> {
    places(findings).into_iter().map(|(_, zone)| zone).collect()
}

/// The zones of one side by their first letters.
fn letters(lungs: &Lungs, side: Side) -> String {
    let of_side = places(&lungs.findings);
    let named = |zone: &&Zone| of_side.contains(&(Some(side), **zone));
    let text: String = Zone::ALL.iter().filter(named).filter_map(|zone| zone.word().chars().next()).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}

type Confusion = BTreeMap<String, BTreeMap<String, u32>>;

fn print_confusion(title: &str, confusion: &Confusion) {
    let columns: BTreeSet<&String> = confusion.values().flat_map(BTreeMap::keys).collect();
    println!("{title} (rows: annotated; columns: described)");
    println!("        {}", columns.iter().map(|name| format!("{name:>12}")).collect::<String>());
    for (name, row) in confusion {
        let counts: String =
            columns.iter().map(|column| format!("{:>12}", row.get(*column).unwrap_or(&0))).collect();
        println!("{name:>8}{counts}");
    }
}

fn described(case: &Case, kind: Kind, shares: &mut Shares) -> Description {
    shares.add("kind recognised", recognise(&case.image) == kind);
    let description = describe(&case.image, &case.mask, Some(kind)).expect("a description");
    let agrees = agreement(&case.prompt, &description).expect("a prompt that states something");
    shares.add("no contradiction", compare(&case.prompt, &case.mask, &description).is_empty());
    shares.add("agreement of at least 0.7", agrees >= 0.7);
    description
}

fn lungs(prompt: &Prompt) -> &Lungs {
    match prompt {
        Prompt::Lungs(lungs) => lungs,
        Prompt::Polyps(_) => panic!("a prompt of lungs"),
    }
}

fn measure_lungs(set: &str, split: &str, kind: Kind) -> Option<Shares> {
    let folder = shared(&format!("data/{set}"))?;
    let mut shares = Shares::default();
    let [mut sides, mut zone_sets] = [Confusion::new(), Confusion::new()];
    let all = cases(&folder, split);
    let mut agreements = [0.0, 0.0];
    for (index, case) in all.iter().enumerate() {
        let description = described(case, kind, &mut shares);
        // Neighbours in the table are often images of one subject.
        let other = &all[(index + all.len() / 2) % all.len()].prompt;
        agreements[0] += agreement(&case.prompt, &description).unwrap_or(0.0);
        agreements[1] += agreement(other, &description).unwrap_or(0.0);
        let mirrored = case.prompt.mirrored();
        if mirrored != case.prompt && lungs(&mirrored).findings.len() == 1 {
            let warnings = compare(&mirrored, &case.mask, &description);
            let is_found = warnings.iter().any(|warning| warning.rule == Disagreement::OtherSide);
            shares.add("other side found if a one-sided prompt is mirrored", is_found);
        }
        let (said, found) = (lungs(&case.prompt), lungs(&description.prompt));
        let laterality = |lungs: &Lungs| lungs.laterality.map_or("-", |value| value.word()).to_owned();
        *sides.entry(laterality(said)).or_default().entry(laterality(found)).or_default() += 1;
        shares.add("laterality", said.laterality == found.laterality);
        let named = |lungs: &Lungs| lungs.findings.iter().map(|finding| finding.side).collect::<BTreeSet<_>>();
        shares.add("sides", named(said) == named(found));
        shares.add("number of areas", said.areas == found.areas);
        shares.add("set of zones", zones(&said.findings) == zones(&found.findings));
        shares.add("set of zones of both lungs", places(&said.findings) == places(&found.findings));
        for side in Side::ALL {
            let [said, found] = [said, found].map(|lungs| letters(lungs, *side));
            shares.add("set of zones of one lung", said == found);
            *zone_sets.entry(said).or_default().entry(found).or_default() += 1;
        }
    }
    shares.print(&format!("{set}, {split}"));
    let [own, other] = agreements.map(|sum| sum / all.len() as f64);
    println!("  mean agreement: {own:.3} with the own prompt, {other:.3} with that of another image");
    assert!(own > other + 0.2, "{own} and {other}");
    print_confusion("laterality", &sides);
    print_confusion("zones of one lung", &zone_sets);
    Some(shares)
}

#[test]
fn descriptions_of_x_rays_agree_with_the_annotated_prompts() {
    let Some(shares) = measure_lungs("qata", "val", Kind::Xray) else { return };
    assert!(shares.share("laterality") >= 0.97);
    assert!(shares.share("set of zones") >= 0.70);
    assert!(shares.share("set of zones of one lung") >= 0.80);
    assert!(shares.share("number of areas") >= 0.99);
    assert!(shares.share("kind recognised") >= 0.98);
    assert!(shares.share("no contradiction") >= 0.90);
    assert!(shares.share("other side found if a one-sided prompt is mirrored") >= 0.97);
}

#[test]
fn descriptions_of_ct_slices_agree_with_the_annotated_prompts() {
    let Some(shares) = measure_lungs("ct_lesions", "val", Kind::Ct) else { return };
    assert!(shares.share("laterality") >= 0.97);
    assert!(shares.share("set of zones") >= 0.70);
    assert!(shares.share("number of areas") >= 0.93);
    assert!(shares.share("kind recognised") >= 0.90);
}

#[test]
fn descriptions_of_polyps_agree_with_the_annotated_prompts() {
    let Some(folder) = shared("data/kvasir") else { return };
    let mut shares = Shares::default();
    for case in cases(&folder, "val") {
        let description = described(&case, Kind::Endoscopy, &mut shares);
        let (Prompt::Polyps(said), Prompt::Polyps(found)) = (&case.prompt, &description.prompt) else {
            panic!("prompts of polyps");
        };
        let sorted = |polyps: &Polyps| {
            let mut places = polyps.places.clone();
            places.sort();
            places
        };
        shares.add("number", said.number == found.number);
        shares.add("size", said.sizes == found.sizes);
        shares.add("places", sorted(said) == sorted(found));
        // The prompts name areas that the masks do not have: "top left" beside the true place.
        shares
            .add("every place of the mask is named", found.places.iter().all(|place| said.places.contains(place)));
        if said.number == found.number {
            shares.add("places, of those with the same number", sorted(said) == sorted(found));
        }
        shares.add("colour", said.colour == found.colour);
        shares.add("shape", said.shape == found.shape);
    }
    shares.print("kvasir, val");
    assert!(shares.share("number") >= 0.80);
    assert!(shares.share("size") >= 0.90);
    assert!(shares.share("places, of those with the same number") >= 0.90);
    assert!(shares.share("kind recognised") >= 0.98);
}

/// In the prompts of QaTa-COV19 "left" is the left half of the image. Of 1928 one-sided prompts of the whole data set,
/// 1914 (99.3 %) name the half that holds most of the mask; the shared pairs are part of it.
#[test]
fn one_sided_prompts_name_the_half_of_the_image_that_holds_the_mask() {
    let mut counts = [0, 0];
    for (set, splits) in [("qata", &["train", "val", "test"][..]), ("qata_more", &["train", "val"])] {
        let Some(folder) = shared(&format!("data/{set}")) else { return };
        for split in splits {
            for (name, text) in rows(&folder, split) {
                let Some(Prompt::Lungs(said)) = parse(&text).prompt else { continue };
                let named: BTreeSet<Side> = said.findings.iter().filter_map(|finding| finding.side).collect();
                let Some(side) = named.first().filter(|_| named.len() == 1) else { continue };
                counts[0] += i32::from(main_side(&mask_of(&folder, split, &name)) == Some(*side));
                counts[1] += 1;
            }
        }
    }
    println!("{} of {} one-sided prompts", counts[0], counts[1]);
    assert!(counts[1] > 1400 && f64::from(counts[0]) / f64::from(counts[1]) >= 0.99, "{counts:?}");
}
