//! Exact Shapley values of a cooperative game.

/// Returns the Shapley value of every player of a game with `n` players. `worth` holds what each of the `2^n`
/// coalitions achieves; player `i` is a member of the coalition at index `c` if bit `i` of `c` is set.
///
/// The value of a player is the mean of what it adds over all orders in which the players can join (Shapley,
/// *A value for n-person games*, 1953):
/// `φᵢ = Σ_S |S|! (n − |S| − 1)! / n! · (v(S ∪ {i}) − v(S))` over the coalitions `S` without player `i`. The values sum
/// to `v(all) − v(nobody)`.
///
/// # Panics
/// Panics if the number of coalitions is not a power of 2.
pub fn shapley_values(worth: &[f64]) -> Vec<f64> {
    assert!(worth.len().is_power_of_two(), "a game of n players has 2^n coalitions, not {}", worth.len());
    let players = worth.len().trailing_zeros() as usize;
    // |S|! (n − |S| − 1)! / n! = 1 / (n · C(n − 1, |S|))
    let mut choose = 1.0;
    let weights: Vec<f64> = (0..players)
        .map(|size| {
            let weight = 1.0 / (players as f64 * choose);
            choose *= (players - 1 - size) as f64 / (size + 1) as f64;
            weight
        })
        .collect();
    let value = |player: usize| {
        let bit = 1 << player;
        let without = (0..worth.len()).filter(|coalition| coalition & bit == 0);
        without
            .map(|coalition| {
                weights[coalition.count_ones() as usize] * (worth[coalition | bit] - worth[coalition])
            })
            .sum()
    };
    (0..players).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn game(players: u32, worth: impl Fn(usize) -> f64) -> Vec<f64> {
        shapley_values(&(0..1 << players).map(worth).collect::<Vec<_>>())
    }

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}, not {expected:?}");
    }

    #[test]
    fn in_an_additive_game_everybody_receives_what_they_bring() {
        let brings = [3.0, -1.0, 0.5, 0.0];
        let worth =
            |who: usize| brings.iter().enumerate().filter(|(i, _)| who >> i & 1 == 1).map(|(_, b)| b).sum::<f64>();
        // A constant for nobody is shared by nobody.
        near(&game(4, |who| 7.0 + worth(who)), &brings);
    }

    #[test]
    fn in_the_glove_game_the_rare_glove_is_worth_more() {
        // Player 0 has a left glove, players 1 and 2 a right one; a pair is worth 1.
        near(&game(3, |who| f64::from(u8::from(who & 1 == 1 && who > 1))), &[2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0]);
    }

    #[test]
    fn values_sum_to_what_all_achieve_and_equal_players_have_equal_values() {
        let mut random = fastrand::Rng::with_seed(5);
        for players in 0..=8 {
            let worth: Vec<f64> = (0..1 << players).map(|_| random.f64()).collect();
            let sum: f64 = shapley_values(&worth).iter().sum();
            assert!((sum - (worth[worth.len() - 1] - worth[0])).abs() < 1e-12, "{players} players");
        }
        // The majority of eight: only the size counts.
        near(&game(8, |who| f64::from(u8::from(who.count_ones() > 4))), &[0.125; 8]);
        assert_eq!(shapley_values(&[0.25]), [0.0; 0]);
    }
}
