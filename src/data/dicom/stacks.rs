//! Decides which frames form one stack, and sorts them by position. If several images lie at one position (time
//! points, echoes, b-values), they form several stacks, which are named by what distinguishes them. They are
//! never sorted into one stack as if they were different slices.

use std::cmp::Ordering;

use super::frame::Frame;
use super::stack_keys::{KEYS, Key, clock};
use crate::data::volume::Sides;

/// The largest difference between components of two directions, or between relative pixel sizes, up to which
/// slices count as alike. It is about half a degree, more than scanners round.
const ALIKE: f64 = 0.01;
/// The share of the slice distance up to which positions count as equal.
const SAME: f64 = 1e-3;

/// The frames of one stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// What distinguishes the stack from the others of the file or series; empty if it is the only one.
    pub name: String,
    /// The indices of its frames, in order.
    pub members: Vec<usize>,
    /// A note about the order, if there is one.
    pub note: Option<String>,
    /// Whether its frames have several directions or sizes, so that a common position, size and side would be
    /// wrong for most of them.
    pub is_mixed: bool,
}

/// Returns the stacks that frames form, with that of the first frame first. Frames without positions stay in one
/// stack, in the order of their dimension index or of the file.
pub fn stacks(frames: &[&Frame]) -> Vec<Stack> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut rest = Vec::new();
    for number in 0..frames.len() {
        match groups.iter().position(|group| are_alike(frames[group[0]], frames[number])) {
            Some(group) => groups[group].push(number),
            None if groups.len() < MOST_GROUPS => groups.push(vec![number]),
            None => rest.push(number),
        }
    }
    let names = group_names(&groups, frames);
    let named = groups.into_iter().zip(names).flat_map(|(group, name)| {
        let mut stacks = of_group(group, frames);
        stacks.iter_mut().for_each(|stack| {
            let both: Vec<&str> =
                [name.as_str(), stack.name.as_str()].into_iter().filter(|name| !name.is_empty()).collect();
            stack.name = both.join(", ");
        });
        stacks
    });
    named.chain(mixed(rest)).collect()
}

/// Returns the stack of the frames beyond [`MOST_GROUPS`], in file order, or `None` if there are none.
fn mixed(members: Vec<usize>) -> Option<Stack> {
    let note = format!(
        "The frames have more than {MOST_GROUPS} orientations or sizes; those of this stack ({}) are shown in file order, without positions, sizes or sides.",
        members.len()
    );
    let stack = Stack { name: "other directions".into(), members, note: Some(note), is_mixed: true };
    (!stack.members.is_empty()).then_some(stack)
}

/// The largest number of groups of parallel frames of one object that are distinguished.
const MOST_GROUPS: usize = 64;

/// Returns whether two orientations are equal except for rounding, or both are missing.
pub fn lie_alike(a: Option<[[f64; 3]; 2]>, b: Option<[[f64; 3]; 2]>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.as_flattened().iter().zip(b.as_flattened()).all(|(a, b)| (a - b).abs() < ALIKE),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Returns whether two frames are parallel and have the same pixel size and StackID.
fn are_alike(a: &Frame, b: &Frame) -> bool {
    let is_of_size = match (a.pixel_spacing, b.pixel_spacing) {
        (Some(a), Some(b)) => a.iter().zip(b).all(|(a, b)| (a / b - 1.0).abs() < ALIKE),
        (a, b) => a.is_none() && b.is_none(),
    };
    is_of_size && a.stack == b.stack && lie_alike(a.orientation, b.orientation)
}

/// Returns the names of groups: the plane if it is unique, otherwise a number. A single group has no name.
fn group_names(groups: &[Vec<usize>], frames: &[&Frame]) -> Vec<String> {
    if groups.len() < 2 {
        return vec![String::new(); groups.len()];
    }
    let plane = |group: &Vec<usize>| {
        let sides = frames[group[0]].orientation.and_then(|[across, down]| Sides::new(across, down));
        sides.map_or("", |Sides { right, bottom, .. }| {
            let has = |pair: [char; 2]| pair.contains(&right) || pair.contains(&bottom);
            match (has(['L', 'R']), has(['A', 'P'])) {
                (true, true) => "axial",
                (true, false) => "coronal",
                _ => "sagittal",
            }
        })
    };
    let planes: Vec<&str> = groups.iter().map(plane).collect();
    let is_telling = |name: &&str| !name.is_empty() && planes.iter().filter(|other| *other == name).count() == 1;
    let name = |(number, name): (usize, &&str)| match is_telling(name) {
        true => (*name).to_owned(),
        false => format!("stack {}", number + 1),
    };
    planes.iter().enumerate().map(name).collect()
}

/// Returns the stacks that parallel frames form.
fn of_group(mut members: Vec<usize>, frames: &[&Frame]) -> Vec<Stack> {
    let Some(places) = places(&members, frames) else {
        let has_index = members.iter().all(|member| !frames[*member].index.is_empty()) && members.len() > 1;
        if has_index {
            members.sort_by(|a, b| frames[*a].index.cmp(&frames[*b].index));
        }
        return vec![Stack { members, ..Stack::default() }];
    };
    let count = places.iter().flatten().max().map_or(0, |last| last + 1);
    let place = |member: usize| places.get(member).copied().flatten().unwrap_or(0);
    members.sort_by_key(|member| place(*member));
    let most = |part: &[usize]| {
        let mut sizes = vec![0_usize; count];
        part.iter().for_each(|member| sizes[place(*member)] += 1);
        sizes.into_iter().max().unwrap_or(0)
    };
    let mut parts = vec![(Vec::<String>::new(), members)];
    for key in KEYS.iter().filter(|key| count > 1 || !key.is_time) {
        parts = parts.into_iter().flat_map(|part| split(part, key, frames, &most)).collect();
    }
    let done = parts.into_iter().flat_map(|(name, members)| {
        let repeated = most(&members);
        let name = name.join(", ");
        if repeated < 2 {
            return vec![Stack { name, members, ..Stack::default() }];
        }
        if count == 1 {
            return vec![film(name, members, frames)];
        }
        rounds(&name, members, frames, &place, count)
    });
    done.collect()
}

/// Splits a part by the values of `key` if this reduces the number of frames at one position. Each part has its
/// names and its members.
fn split(
    (names, members): (Vec<String>, Vec<usize>),
    key: &Key,
    frames: &[&Frame],
    most: &dyn Fn(&[usize]) -> usize,
) -> Vec<(Vec<String>, Vec<usize>)> {
    let repeated = most(&members);
    if repeated < 2 {
        return vec![(names, members)];
    }
    let mut told: Vec<(f64, String, usize)> = Vec::with_capacity(members.len());
    for &member in &members {
        let (order, name) = (key.of)(frames[member]).unwrap_or((f64::INFINITY, format!("no {}", key.what)));
        told.push((order, name, member));
    }
    // The sort is stable, so the members of a part stay in the order of their positions.
    told.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    let mut parts: Vec<(f64, Vec<String>, Vec<usize>)> = Vec::new();
    for (order, name, member) in told {
        match parts.last_mut() {
            Some((last, own, part)) if *last == order && own.last() == Some(&name) => part.push(member),
            _ => parts.push((order, names.iter().cloned().chain([name]).collect(), vec![member])),
        }
    }
    // If there are more values than images at one position, the images differ in another attribute.
    let tells = (2..=repeated).contains(&parts.len()) && parts.iter().all(|(_, _, part)| most(part) < repeated);
    if !tells {
        return vec![(names, members)];
    }
    parts.into_iter().map(|(_, names, part)| (names, part)).collect()
}

/// Makes a stack of images that have the same position, in the order of their times.
fn film(name: String, mut members: Vec<usize>, frames: &[&Frame]) -> Stack {
    members.sort_by(|a, b| moment(frames[*a], frames[*b]).then(a.cmp(b)));
    let note = format!(
        "All {} images have the same position; they are sorted by acquisition time as far as it is known.",
        members.len()
    );
    Stack { name, members, note: Some(note), is_mixed: false }
}

/// Makes a stack of the first image at every position, a stack of the second images, and so on. They are named
/// by their times if these are known and different, otherwise by numbers.
fn rounds(
    name: &str,
    members: Vec<usize>,
    frames: &[&Frame],
    place: &dyn Fn(usize) -> usize,
    count: usize,
) -> Vec<Stack> {
    let mut at: Vec<Vec<usize>> = vec![Vec::new(); count];
    members.iter().for_each(|member| at[place(*member)].push(*member));
    for here in &mut at {
        here.sort_by(|a, b| moment(frames[*a], frames[*b]).then(a.cmp(b)));
    }
    let number = at.iter().map(Vec::len).max().unwrap_or(0);
    let has_times = members.iter().all(|member| clock(&frames[*member].time).is_some())
        && at.iter().all(|here| here.windows(2).all(|pair| frames[pair[0]].time != frames[pair[1]].time));
    let told = |round: usize, first: usize| match has_times.then(|| clock(&frames[first].time)).flatten() {
        Some((_, time)) => time,
        None => format!("repeat {}", round + 1),
    };
    let round = |round: usize| {
        let members: Vec<usize> = at.iter().filter_map(|here| here.get(round).copied()).collect();
        let own = members.first().map_or_else(String::new, |first| told(round, *first));
        let name = if name.is_empty() { own } else { format!("{name}, {own}") };
        let note = (!has_times).then(|| {
            "Several images have the same positions, and the file does not say how they differ; they are separated by their order."
                .to_owned()
        });
        Stack { name, members, note, is_mixed: false }
    };
    (0..number).map(round).collect()
}

/// Compares two frames by time, as far as they have it; frames without a time come before others. This is a
/// total order, as sorting requires.
fn moment(a: &Frame, b: &Frame) -> Ordering {
    let compare = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    let time = |frame: &Frame| clock(&frame.time).map(|(time, _)| time);
    compare(a.temporal, b.temporal)
        .then_with(|| compare(a.trigger, b.trigger))
        .then_with(|| compare(time(a), time(b)))
        .then_with(|| compare(a.acquisition, b.acquisition))
        .then_with(|| a.index.cmp(&b.index))
}

/// Returns for each frame the number of its position, counted along the normal; `None` for frames that are not
/// in `members`. Returns `None` if a member has no position.
pub fn places(members: &[usize], frames: &[&Frame]) -> Option<Vec<Option<usize>>> {
    let normal = frames[*members.first()?].normal();
    let by = |depth: &dyn Fn(&Frame) -> Option<f64>| {
        members.iter().map(|member| Some((depth(frames[*member])?, *member))).collect::<Option<Vec<_>>>()
    };
    let along = normal.and_then(|normal| by(&|frame| frame.depth(normal)));
    let mut depths = along.or_else(|| by(&|frame| frame.in_stack))?;
    depths.sort_by(|a, b| a.0.total_cmp(&b.0));
    // The typical step does not include steps between images at one position, which are due to rounding.
    let span = depths.last()?.0 - depths.first()?.0;
    let rounding = 0.02 * span / depths.len() as f64;
    let mut steps: Vec<f64> =
        depths.windows(2).map(|pair| pair[1].0 - pair[0].0).filter(|step| *step > rounding).collect();
    steps.sort_by(f64::total_cmp);
    let same = SAME * steps.get(steps.len() / 2).copied().unwrap_or(0.0);
    let mut places = vec![None; frames.len()];
    let (mut number, mut start) = (0, depths.first()?.0);
    for (depth, member) in depths {
        if depth - start > same {
            number += 1;
            start = depth;
        }
        places[member] = Some(number);
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::super::frame::Echo;
    use super::*;

    fn at(z: f64) -> Frame {
        let orientation = Some([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
        Frame { position: Some([0.0, 0.0, z]), orientation, ..Frame::default() }
    }

    fn of(frames: &[Frame]) -> Vec<(String, Vec<usize>)> {
        let stacks = stacks(&frames.iter().collect::<Vec<_>>());
        stacks.into_iter().map(|stack| (stack.name, stack.members)).collect()
    }

    #[test]
    fn by_position_and_not_by_file() {
        let frames = [15.0, 0.0, 20.0, 5.0, 10.0].map(at);
        assert_eq!(of(&frames), [(String::new(), vec![1, 3, 4, 0, 2])]);
    }

    #[test]
    fn what_differs_makes_stacks() {
        let two = |change: fn(&mut Frame, usize)| {
            let frames: Vec<Frame> = (0..6)
                .map(|number| {
                    // The second frame at each position lies there except for rounding.
                    let mut frame = at((number / 2) as f64 * 2.0 + (number % 2) as f64 * 1e-3);
                    change(&mut frame, number);
                    frame
                })
                .collect();
            of(&frames)
        };
        let pair = |first: &str, second: &str| {
            [(first.to_owned(), vec![0, 2, 4]), (second.to_owned(), vec![1, 3, 5])].to_vec()
        };
        assert_eq!(two(|f, n| f.echo = Some(Echo::Number(1.0 + n as f64 % 2.0))), pair("echo 1", "echo 2"));
        assert_eq!(two(|f, n| f.b_value = Some(n as f64 % 2.0 * 1000.0)), pair("b = 0", "b = 1000"));
        assert_eq!(
            two(|f, n| f.trigger = Some(50.0 + n as f64 % 2.0 * 300.0)),
            pair("trigger 50 ms", "trigger 350 ms")
        );
        let clocks =
            |f: &mut Frame, n: usize| f.time = if n.is_multiple_of(2) { "103105" } else { "103210.5" }.into();
        assert_eq!(two(clocks), pair("time 10:31:05", "time 10:32:10.5"));
        // Each image has a time of its own.
        let apart = |f: &mut Frame, n: usize| f.time = format!("1031{:02}", n % 2 * 30 + n);
        assert_eq!(two(apart), pair("time 10:31:00", "time 10:31:31"));
        assert_eq!(two(|_, _| {}), pair("repeat 1", "repeat 2"));
    }

    #[test]
    fn a_film_of_one_place_stays_one() {
        let frames: Vec<Frame> =
            [30.0, 10.0, 20.0].iter().map(|time| Frame { trigger: Some(*time), ..at(5.0) }).collect();
        assert_eq!(of(&frames), [(String::new(), vec![1, 2, 0])]);
        let echoes: Vec<Frame> =
            [2.0, 1.0].iter().map(|number| Frame { echo: Some(Echo::Number(*number)), ..at(5.0) }).collect();
        assert_eq!(of(&echoes), [("echo 1".to_owned(), vec![1]), ("echo 2".to_owned(), vec![0])]);
    }

    #[test]
    fn frames_without_a_time_are_in_order_with_those_that_have_one() {
        let times = [Some(30.0), None, Some(10.0), None, Some(20.0)];
        let frames: Vec<Frame> = times.map(|temporal| Frame { temporal, ..at(5.0) }).into();
        let film = film(String::new(), (0..5).collect(), &frames.iter().collect::<Vec<_>>());
        assert_eq!(film.members, [1, 3, 2, 4, 0]);
        // There are so many in a random order that sorting would notice an invalid order.
        let number = |place: usize| (!place.is_multiple_of(3)).then_some((place * 7919 % 101) as f64);
        let many: Vec<Frame> = (0..200).map(|place| Frame { trigger: number(place), ..at(5.0) }).collect();
        let film = stacks(&many.iter().collect::<Vec<_>>()).remove(0);
        let sorted: Vec<Option<f64>> = film.members.iter().map(|member| many[*member].trigger).collect();
        assert!(sorted.is_sorted() && film.members.len() == 200, "{sorted:?}");
    }

    #[test]
    fn planes_and_dimensions() {
        let coronal = Frame { orientation: Some([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]), ..at(0.0) };
        let named = of(&[at(0.0), coronal, at(1.0)]);
        assert_eq!(named, [("axial".to_owned(), vec![0, 2]), ("coronal".to_owned(), vec![1])]);
        let indexed: Vec<Frame> =
            [3, 1, 2].iter().map(|place| Frame { index: vec![1, *place], ..Frame::default() }).collect();
        assert_eq!(of(&indexed), [(String::new(), vec![1, 2, 0])]);
    }

    #[test]
    fn more_directions_than_are_told_apart() {
        let turned = |number: usize| {
            let (sine, cosine) = (number as f64 * 0.04).sin_cos();
            Frame { orientation: Some([[cosine, sine, 0.0], [-sine, cosine, 0.0]]), ..at(number as f64) }
        };
        let frames: Vec<Frame> = (0..66).chain([64, 3]).map(turned).collect();
        let stacks = stacks(&frames.iter().collect::<Vec<_>>());
        assert_eq!(stacks.len(), MOST_GROUPS + 1);
        assert_eq!((&stacks[3].members, &stacks[63].members), (&vec![3, 67], &vec![63]));
        let last = &stacks[MOST_GROUPS];
        assert_eq!((&last.members, last.is_mixed), (&vec![64, 65, 66], true));
        assert!(last.note.as_ref().is_some_and(|note| note.contains("64 orientations")), "{:?}", last.note);
        assert!(stacks[..MOST_GROUPS].iter().all(|stack| !stack.is_mixed));
    }

    #[test]
    fn times_of_day() {
        assert_eq!(clock("20240102103105.250000+0100"), Some((20_240_102_103_105.25, "time 10:31:05.25".into())));
        assert_eq!(clock("1031"), Some((1031.0, "time 10:31:00".into())));
        assert_eq!(clock("10:31:05").map(|(_, name)| name).as_deref(), Some("time 10:31:05"));
        assert_eq!(clock(""), None);
        assert_eq!(clock("soon"), None);
    }
}
