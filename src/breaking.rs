//! Where a line of text may be broken.

use textwrap::WordSeparator;
use textwrap::core::Word;

/// Letters of scripts that are written without spaces between words: Thai, Lao, Burmese and Khmer. Where their words end stands in no
/// rule, only in dictionaries.
const WITHOUT_SPACES: [(char, char); 7] = [
    ('\u{0e00}', '\u{0eff}'),
    ('\u{1000}', '\u{109f}'),
    ('\u{1780}', '\u{17ff}'),
    ('\u{19e0}', '\u{19ff}'),
    ('\u{a9e0}', '\u{a9ff}'),
    ('\u{aa60}', '\u{aa7f}'),
    ('\u{116d0}', '\u{116ff}'),
];

/// What finds the words of a line for all that is laid out: by the rules of Unicode, or at spaces if there are letters of a script without
/// them. The library has no dictionary, and in debug builds it writes to stderr that it misses one.
pub fn words() -> WordSeparator {
    WordSeparator::Custom(words_of)
}

fn words_of(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let is_without = |c: char| WITHOUT_SPACES.iter().any(|(first, last)| (*first..=*last).contains(&c));
    if line.chars().any(is_without) {
        return WordSeparator::AsciiSpace.find_words(line);
    }
    WordSeparator::new().find_words(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Vec<&str> {
        words_of(line).map(|word| word.word).collect()
    }

    #[test]
    fn ideographs_are_words_and_scripts_without_spaces_end_at_those_they_have() {
        assert_eq!(of("a 障害 b"), ["a", "障", "害", "b"]);
        for text in ["กำลัง ประเทศ", "ກຳລັງ ປະເທດ", "ကမ္ဘာ မြန်မာ", "កម្ពុជា ភាសា"]
        {
            assert_eq!(of(text), text.split(' ').collect::<Vec<_>>());
        }
    }
}
