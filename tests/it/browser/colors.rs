//! The page's colours can be read and told apart. Needs no browser: the colours stand in one file.

use std::collections::BTreeMap;

/// Relative luminance by WCAG 2.
fn luminance(color: &str) -> f64 {
    let channel = |place: usize| {
        let value = f64::from(u8::from_str_radix(&color[place..place + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Name to (light, dark), from `--name: light-dark(#…, #…)`.
fn colors() -> BTreeMap<String, (String, String)> {
    let css = include_str!("../../../dashboard/colors.css");
    let named = css.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(':')?;
        let (light, dark) = value.trim().strip_prefix("light-dark(")?.split_once(')')?.0.split_once(',')?;
        Some((name.to_owned(), (light.trim().to_owned(), dark.trim().to_owned())))
    });
    named.filter(|(_, (light, dark))| light.len() == 7 && dark.len() == 7).collect()
}

#[test]
fn text_and_phases_stand_out_on_both_grounds_in_both_themes() {
    let colors = colors();
    let of = |name: &str| colors.get(name).unwrap_or_else(|| panic!("no colour --{name} in {colors:?}"));
    let foreground = colors.keys().filter(|name| name.starts_with("phase-")).map(String::as_str);
    let foreground: Vec<&str> = foreground.chain(["breach", "text", "muted"]).collect();
    assert!(foreground.len() >= 8, "{foreground:?}");
    for name in foreground {
        for ground in ["ground", "panel"] {
            for (theme, color, ground_color) in
                [("light", &of(name).0, &of(ground).0), ("dark", &of(name).1, &of(ground).1)]
            {
                let ratio = contrast(color, ground_color);
                // Rounded as people quote it: 4.5 is the least for text.
                assert!(ratio >= 4.45, "--{name} on --{ground}, {theme}: {ratio:.2}");
            }
        }
    }
}
