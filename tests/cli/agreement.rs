//! `himix agreement`.

use std::fs;

use himix::data::cases::{CaseChange, CaseState, CaseStore};

use crate::files::{folder, grey_png, put};
use crate::program::himix;

#[test]
fn masks_of_two_folders_are_compared() {
    let (a, b) = (folder(), folder());
    put(&a, "one.png", &grey_png(4, 4, 0, 255));
    put(&b, "mask_one.png", &grey_png(4, 4, 0, 255));
    put(&a, "two.png", &grey_png(4, 4, 0, 255));
    put(&b, "two.png", &grey_png(4, 4, 0, 0));
    put(&b, "three.png", &grey_png(4, 4, 0, 0));
    let table = a.path().join("table.csv");
    let object = himix!["agreement", a.path(), b.path(), "--out", &table, "--json"].json();
    assert_eq!(object["cases"][0]["case"], "one.png");
    assert_eq!((&object["cases"][0]["dice"], &object["cases"][0]["kappa"]), (&1.0.into(), &1.0.into()));
    assert_eq!((&object["cases"][1]["dice"], object["cases"][1]["hd95"].is_null()), (&0.0.into(), true));
    assert_eq!(object["per_image"]["dice"]["mean"], 0.5);
    assert_eq!(
        (&object["only_second"][0], &object["per_image"]["hd95"]["unit"]),
        (&"three.png".into(), &"px".into())
    );
    let rows = fs::read_to_string(&table).expect("a table");
    assert!(
        rows.starts_with("case,dice_per_image,kappa_per_image,hd95,hd95_unit,") && rows.lines().count() == 3,
        "{rows}"
    );
    let text = himix!["agreement", a.path(), b.path()].done().out;
    for part in ["2 cases", "per image   Dice    0.500 ± 0.500", "pooled      kappa", "1 case: three.png"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    put(&a, "lonely/x.png", &grey_png(4, 4, 0, 255));
    himix!["agreement", a.path().join("lonely"), b.path()].failed(2, &["no case in common"]);
    himix!["agreement", a.path(), b.path().join("none")].failed(2, &["none"]);
}

#[test]
fn readers_of_a_folder_are_compared() {
    let folder = folder();
    put(&folder, "a.png", &grey_png(4, 4, 9, 90));
    himix!["agreement", folder.path()].failed(2, &["no reader has accepted a mask"]);
    let store = CaseStore::of(folder.path(), None);
    for reader in ["Anna", "Bob", "Carl"] {
        let place = store.place(reader).expect("a place");
        let name = place.mask_name("a.png", false).expect("a name");
        fs::write(place.folder.join(&name), grey_png(4, 4, 0, 255)).expect("written");
        let change = CaseChange { id: "a.png".into(), state: CaseState::Done, mask: Some(name) };
        place.record(&[change]).expect("recorded");
    }
    himix!["agreement", folder.path()].failed(2, &["Anna, Bob, Carl"]);
    let object = himix!["agreement", folder.path(), "--readers", "carl", "anna", "--json"].json();
    assert_eq!(object["readers"], serde_json::json!(["Carl", "Anna"]));
    assert_eq!(object["pooled"]["kappa"], 1.0);
    himix!["agreement", folder.path(), "--readers", "anna", "Dora"].failed(2, &["no reader Dora"]);
}
