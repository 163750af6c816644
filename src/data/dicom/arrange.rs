//! Reorders the slices of a stack.

use crate::data::volume::StoredPixels;

/// Reorders slices of `plane` samples each in place. `order` has the index of each wanted slice; slices that it
/// lacks are removed. Nothing changes if an index does not exist or occurs twice.
pub fn arrange(values: &mut StoredPixels, plane: usize, order: &[usize]) {
    match values {
        StoredPixels::U8(values) => arranged(values, plane, order),
        StoredPixels::I16(values) => arranged(values, plane, order),
        StoredPixels::U16(values) => arranged(values, plane, order),
        StoredPixels::F32(values) => arranged(values, plane, order),
    }
}

fn arranged<T>(values: &mut Vec<T>, plane: usize, order: &[usize]) {
    let count = values.len() / plane.max(1);
    // The current position of each slice, and the slice at each position.
    let (mut place, mut at): (Vec<usize>, Vec<usize>) = ((0..count).collect(), (0..count).collect());
    let mut is_named = vec![false; count];
    let is_sound =
        order.iter().all(|slice| is_named.get_mut(*slice).is_some_and(|named| !std::mem::replace(named, true)));
    if !is_sound {
        return;
    }
    for (target, &slice) in order.iter().enumerate() {
        let from = place[slice];
        if from != target {
            // All positions before `target` are final, so `from` lies after it.
            let (head, tail) = values.split_at_mut(from * plane);
            head[target * plane..(target + 1) * plane].swap_with_slice(&mut tail[..plane]);
            let moved = at[target];
            at.swap(target, from);
            (place[slice], place[moved]) = (target, from);
        }
    }
    values.truncate(order.len() * plane);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_of_four() {
        let stored = StoredPixels::U16((0..8).collect());
        for code in 0..256 {
            let order: Vec<usize> = (0..4).map(|digit| code >> (2 * digit) & 3).collect();
            let mut values = stored.clone();
            arrange(&mut values, 2, &order);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            if sorted == [0, 1, 2, 3] {
                let wanted = order.iter().flat_map(|slice| [2 * *slice as u16, 2 * *slice as u16 + 1]).collect();
                assert_eq!(values, StoredPixels::U16(wanted), "{order:?}");
            } else {
                assert_eq!(values, stored, "{order:?}");
            }
        }
        let mut some = stored.clone();
        arrange(&mut some, 2, &[3, 1]);
        assert_eq!(some, StoredPixels::U16(vec![6, 7, 2, 3]));
        arrange(&mut some, 2, &[5]);
        assert_eq!(some.len(), 4, "no such slice");
    }
}
