//! Chance that is the same on every machine and in every later build.
//!
//! Written here rather than taken from `rand`: that crate promises no stable stream between its
//! versions, and a seed printed in a bug report must still name the same people next year. It also
//! has no permutation that can be inverted, and that is what lets an identifier be looked up among
//! a million people without a map of them.

/// A keyed one-to-one shuffle of the numbers below `domain`, which runs both ways.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shuffle {
    keys: [u64; 4],
    domain: u64,
    half_bits: u32,
}

impl Shuffle {
    /// A shuffle of `0..domain`; two keys give two unrelated orders.
    pub(crate) fn new(key: u64, domain: u64) -> Self {
        let bits = 64 - domain.max(4).saturating_sub(1).leading_zeros();
        Self {
            keys: [1, 2, 3, 4].map(|round| mix(&[key, round])),
            domain: domain.max(1),
            half_bits: bits.div_ceil(2),
        }
    }

    /// Where `number` goes.
    pub(crate) fn forward(&self, number: u64) -> u64 {
        // The network permutes a power of four, a little more than the domain: walking on until
        // the number falls inside keeps it one-to-one, at four rounds per step.
        let mut at = self.scramble(number);
        while at >= self.domain {
            at = self.scramble(at);
        }
        at
    }

    /// The number that goes to `place`.
    pub(crate) fn back(&self, place: u64) -> u64 {
        let mut at = self.unscramble(place);
        while at >= self.domain {
            at = self.unscramble(at);
        }
        at
    }

    fn scramble(&self, number: u64) -> u64 {
        let (mut left, mut right) = (number >> self.half_bits, number & self.mask());
        for key in self.keys {
            (left, right) = (right, left ^ (mix(&[key, right]) & self.mask()));
        }
        (left << self.half_bits) | right
    }

    fn unscramble(&self, place: u64) -> u64 {
        let (mut left, mut right) = (place >> self.half_bits, place & self.mask());
        for key in self.keys.iter().rev() {
            (left, right) = (right ^ (mix(&[*key, left]) & self.mask()), left);
        }
        (left << self.half_bits) | right
    }

    fn mask(&self) -> u64 {
        (1 << self.half_bits) - 1
    }
}

/// Draws for one thing: the same words give the same draws.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    /// Dice for the thing that `words` name, such as seed, topic and index.
    pub(crate) fn new(words: &[u64]) -> Self {
        Self { state: mix(words) }
    }

    /// A number below `sides`.
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        finish(self.state) % sides.max(1)
    }

    /// True `percent` times in a hundred.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = self.below(choices.len() as u64);
        choices[at as usize]
    }
}

/// One number out of several, by the finisher of splitmix64.
pub(crate) fn mix(words: &[u64]) -> u64 {
    words.iter().fold(0x51_7c_c1_b7_27_22_0a_95, |state, word| {
        finish(state.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ finish(*word))
    })
}

fn finish(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_is_one_to_one_and_runs_back() {
        for domain in [1, 7, 1000, 1 << 12] {
            let shuffle = Shuffle::new(42, domain);
            let mut seen: Vec<u64> = (0..domain).map(|number| shuffle.forward(number)).collect();
            assert!((0..domain).all(|number| shuffle.back(shuffle.forward(number)) == number));
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..domain));
        }
    }

    #[test]
    fn keys_give_unrelated_orders() {
        let (one, two) = (Shuffle::new(1, 1_000_000), Shuffle::new(2, 1_000_000));
        assert!(
            (0..100)
                .filter(|n| one.forward(*n) == two.forward(*n))
                .count()
                < 3
        );
    }

    #[test]
    fn draws_never_change_between_builds() {
        let mut dice = Dice::new(&[7, 1, 2]);
        let drawn: Vec<u64> = (0..4).map(|_| dice.below(1000)).collect();
        assert_eq!(drawn, DRAWN);
    }

    #[test]
    fn the_first_draw_of_many_dice_is_even() {
        let mut counts = [0_u32; 50];
        for index in 0..50_000 {
            counts[Dice::new(&[1, 2, index]).below(50) as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1_150).contains(count)),
            "{counts:?}"
        );
    }

    const DRAWN: [u64; 4] = [704, 828, 169, 303];
}
