//! Exact decimal arithmetic for grids and bands.
//!
//! Not floating point: `0.1 * 3` must be `0.3` on the map, and treating what was treated must change nothing.

use std::fmt;

use serde_json::Number;

/// More decimals than this are floored away, which moves no value over an edge: widths have at most [`MOST_DECIMALS`].
const KEPT_DECIMALS: u32 = 22;
/// The decimals a width may have.
const MOST_DECIMALS: u32 = 9;
/// The largest mantissa a width may have: 15 digits, which a double keeps.
const LARGEST_MANTISSA: i128 = 999_999_999_999_999;

/// `mantissa / 10^scale`, without trailing zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    mantissa: i128,
    scale: u32,
}

impl Decimal {
    fn new(mut mantissa: i128, mut scale: u32) -> Self {
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa, scale }
    }

    /// A whole number.
    pub(super) fn whole(number: i128) -> Self {
        Self { mantissa: number, scale: 0 }
    }

    /// The number that JSON spells `text`; nothing if it is too large to reckon with.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let mantissa: i128 = format!("{whole}{decimals}").parse().ok()?;
        let scale = i64::try_from(decimals.len()).ok()?.checked_sub(exponent)?;
        match u32::try_from(scale) {
            Ok(scale) if scale <= KEPT_DECIMALS => Some(Self::new(mantissa, scale)),
            Ok(scale) => {
                let lost = 10i128.checked_pow(scale - KEPT_DECIMALS);
                // A power too large for `lost` is larger than any mantissa, so that only the sign is left.
                Some(Self::new(lost.map_or(mantissa.signum().min(0), |lost| mantissa.div_euclid(lost)), KEPT_DECIMALS))
            }
            Err(_) => {
                let zeros = 10i128.checked_pow(u32::try_from(scale.checked_neg()?).ok()?)?;
                mantissa.checked_mul(zeros).map(Self::whole)
            }
        }
    }

    /// The number as JSON; nothing where a double cannot keep its digits.
    pub(super) fn to_number(self) -> Option<Number> {
        if self.scale == 0 {
            return i64::try_from(self.mantissa).ok().map(Number::from);
        }
        let number = Number::from_f64(self.to_string().parse().ok()?)?;
        // INVARIANT: what leaves reads back as the same decimal, or a second treatment could fall into the next band.
        (Self::parse(&number.to_string()) == Some(self)).then_some(number)
    }

    /// The largest multiple of `width` that is not above this number; nothing if its digits would be too many for a double.
    pub(super) fn floor_to(self, width: Width) -> Option<Self> {
        let (number, step) = self.against(width)?;
        let mantissa = number.div_euclid(step).checked_mul(width.0.mantissa)?;
        // INVARIANT: above, it is the number that has to be in range, and below, its edge. So whatever a band shows, a finer one of as
        // many decimals shows too, and coarser terms never show a number that was left out before.
        let in_range = number <= LARGEST_MANTISSA.checked_mul(power(self.scale))? && mantissa >= -LARGEST_MANTISSA;
        in_range.then(|| Self::new(mantissa, width.0.scale))
    }

    /// The nearest multiple of `width`, the upper one if two are equally near.
    pub(super) fn nearest_to(self, width: Width) -> Option<Self> {
        let (number, step) = self.against(width)?;
        let doubled = number.checked_mul(2)?.checked_add(step)?;
        let multiple = doubled.div_euclid(step.checked_mul(2)?);
        multiple.checked_mul(width.0.mantissa).map(|mantissa| Self::new(mantissa, width.0.scale))
    }

    /// This number, but at least `-limit` and at most `limit`.
    pub(super) fn clamped(self, limit: i128) -> Self {
        let ceiling = limit.saturating_mul(power(self.scale));
        if self.mantissa > ceiling {
            Self::whole(limit)
        } else if self.mantissa < -ceiling {
            Self::whole(-limit)
        } else {
            self
        }
    }

    /// This number and `width` as whole numbers of one unit.
    fn against(self, width: Width) -> Option<(i128, i128)> {
        let number = self.mantissa.checked_mul(power(width.0.scale))?;
        Some((number, width.0.mantissa.checked_mul(power(self.scale))?))
    }
}

/// 10^scale; scales are at most [`KEPT_DECIMALS`].
fn power(scale: u32) -> i128 {
    10i128.saturating_pow(scale)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.mantissa);
        }
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let (magnitude, unit) = (self.mantissa.abs(), power(self.scale));
        write!(f, "{sign}{}.{:0decimals$}", magnitude / unit, magnitude % unit, decimals = self.scale as usize)
    }
}

/// The width of a band, or the step of a grid: a positive decimal such as `0.1` or `10000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width(Decimal);

impl Width {
    /// Reads a width of at most 15 digits, at most nine of them decimals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let width = (plain(whole) && plain(decimals) && text.len() <= 25).then(|| Decimal::parse(text))??;
        let in_range = (1..=LARGEST_MANTISSA).contains(&width.mantissa) && width.scale <= MOST_DECIMALS;
        in_range.then_some(Self(width))
    }

    /// Whether bands of both reach equally far: 15 digits, decimals among them.
    pub(super) fn reaches_as_far_as(self, other: Self) -> bool {
        self.0.scale == other.0.scale
    }

    /// How often `finer` goes into this width, if it does so without remainder.
    pub(super) fn multiple_of(self, finer: Self) -> Option<i128> {
        let (coarse, fine) = self.0.against(finer)?;
        (coarse % fine == 0).then(|| coarse / fine)
    }

    /// Whether it is wider than `limit`.
    pub(super) fn exceeds(self, limit: i128) -> bool {
        self.0.clamped(limit) != self.0
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    fn band(number: &str, width: &str) -> Option<String> {
        let edge = Decimal::parse(number)?.floor_to(Width::parse(width)?)?;
        edge.to_number().map(|number| number.to_string())
    }

    #[test]
    fn a_band_is_named_by_its_lower_end() {
        for (number, width, edge) in [
            ("24999.99", "5000", "20000"),
            ("25000", "5000", "25000"),
            ("-1", "10", "-10"),
            ("0.3", "0.1", "0.3"),
            ("0.7", "0.1", "0.7"),
            ("1.5e3", "1000", "1000"),
            ("-1e-300", "10", "-10"),
            ("1e-300", "10", "0"),
            ("-0.0", "10", "0"),
        ] {
            assert_eq!(band(number, width).as_deref(), Some(edge), "{number} in bands of {width}");
        }
    }

    #[test]
    fn what_cannot_be_reckoned_with_is_nothing() {
        assert_eq!(band("1e300", "10"), None);
        assert_eq!(band("18446744073709551615", "1"), None);
        assert_eq!(band("999999999999999", "1").as_deref(), Some("999999999999999"));
        for (number, width) in [("1000000000000000", "10"), ("-999999999999999", "10"), ("10000000000000.5", "0.01")] {
            assert_eq!(band(number, width), None, "{number} in bands of {width}");
        }
        assert_eq!(Decimal::parse("1e99999999999999999999"), None);
    }

    #[test]
    fn a_width_is_positive_plain_and_short() {
        for text in ["0", "0.0", "-1", "+1", "1e3", ".5", "5.", "", " 1", "0.0000000001", "1000000000000000"] {
            assert_eq!(Width::parse(text), None, "{text}");
        }
        assert_eq!(Width::parse("0.10").unwrap().to_string(), "0.1");
        assert_eq!(Width::parse("10000").unwrap().to_string(), "10000");
    }

    #[test]
    fn multiples_are_exact() {
        let width = |text: &str| Width::parse(text).unwrap();
        assert_eq!(width("0.3").multiple_of(width("0.1")), Some(3));
        assert_eq!(width("1").multiple_of(width("0.3")), None);
        assert_eq!(width("0.1").multiple_of(width("0.3")), None);
    }
}
