//! Saying in a file that a network has drawn in it: the IPTC property `DigitalSourceType`, in
//! XMP (IPTC Photo Metadata Standard 2023.1, "Digital Source Type" and its controlled terms).

use crate::document::{Document, Synthesis};

/// Namespace of the property.
const NAMESPACE: &str = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
/// What its terms begin with.
const TERMS: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/";
const PROPERTY: &str = "DigitalSourceType";
/// Where a description may be added.
const END: &str = "</rdf:RDF>";

/// How a picture came to be, as far as networks had a hand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigitalSource {
    /// A network has drawn all of it.
    TrainedAlgorithm,
    /// A network has drawn in it.
    CompositeWithTrainedAlgorithm,
}

impl DigitalSource {
    /// The term of the IPTC's list.
    pub fn iri(self) -> String {
        let term = match self {
            Self::TrainedAlgorithm => "trainedAlgorithmicMedia",
            Self::CompositeWithTrainedAlgorithm => "compositeWithTrainedAlgorithmicMedia",
        };
        format!("{TERMS}{term}")
    }

    /// What is true of a document by the layers that show; `None` where no network had a hand.
    pub fn of(document: &Document) -> Option<Self> {
        match Synthesis::of(&document.layers) {
            Synthesis::None => None,
            Synthesis::Part => Some(Self::CompositeWithTrainedAlgorithm),
            Synthesis::All => Some(Self::TrainedAlgorithm),
        }
    }
}

/// The packet with the property, in place of one that it had; everything else in it stays.
/// `None` where it is no XMP that a description can be added to.
pub(super) fn labelled(xmp: Option<&[u8]>, source: DigitalSource) -> Option<Vec<u8>> {
    let iri = source.iri();
    let description = format!(
        "<rdf:Description rdf:about=\"\" xmlns:Iptc4xmpExt=\"{NAMESPACE}\" \
         Iptc4xmpExt:{PROPERTY}=\"{iri}\"/>"
    );
    let Some(xmp) = xmp else {
        return Some(
            format!(
                "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
                 <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n\
                 <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
                 {description}\n{END}\n</x:xmpmeta>\n<?xpacket end=\"w\"?>"
            )
            .into_bytes(),
        );
    };
    let text = std::str::from_utf8(xmp).ok()?;
    let mut text = text.to_owned();
    for prefix in prefixes(&text) {
        text = without(&text, &format!("{prefix}:{PROPERTY}"));
    }
    let at = text.rfind(END)?;
    text.insert_str(at, &format!("{description}\n"));
    Some(text.into_bytes())
}

/// The prefixes under which a packet names the property's namespace.
fn prefixes(text: &str) -> Vec<String> {
    let names = text.match_indices(NAMESPACE).filter_map(|(at, _)| {
        // xmlns:PREFIX="NAMESPACE"
        let before = text[..at].trim_end_matches(['"', '\'']).trim_end();
        let (_, prefix) = before.strip_suffix('=')?.trim_end().rsplit_once("xmlns:")?;
        let word = !prefix.is_empty() && prefix.chars().all(|c| c.is_alphanumeric() || c == '_');
        word.then(|| prefix.to_owned())
    });
    names.collect()
}

/// The text without a property, be it written as an attribute or as an element.
fn without(text: &str, name: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, found) = rest.split_at(at);
        let span = attribute(before, found, name).or_else(|| element(before, found, name));
        let Some((from, to)) = span else {
            kept.push_str(&rest[..at + name.len()]);
            rest = &rest[at + name.len()..];
            continue;
        };
        kept.push_str(&rest[..from]);
        rest = &rest[to..];
    }
    kept.push_str(rest);
    kept
}

/// The extent of ` NAME="…"`.
fn attribute(before: &str, found: &str, name: &str) -> Option<(usize, usize)> {
    before.ends_with(char::is_whitespace).then_some(())?;
    let value = found.strip_prefix(name)?.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let end = value[1..].find(quote)? + 2;
    Some((before.trim_end().len(), before.len() + found.len() - value.len() + end))
}

/// The extent of `<NAME …/>` or `<NAME …>…</NAME>`.
fn element(before: &str, found: &str, name: &str) -> Option<(usize, usize)> {
    let from = before.strip_suffix('<')?.len();
    let opens = found.find('>')?;
    if found[..opens].ends_with('/') {
        return Some((from, before.len() + opens + 1));
    }
    let end = format!("</{name}>");
    let closes = found.find(&end)? + end.len();
    Some((from, before.len() + closes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        text.matches(PROPERTY).count()
    }

    #[test]
    fn a_label_replaces_the_one_before_however_it_is_written() {
        let composite = DigitalSource::CompositeWithTrainedAlgorithm;
        let head = "<x:xmpmeta><rdf:RDF xmlns:rdf=\"r\">";
        let dc = "<rdf:Description dc:title=\"A &gt; B\"/>";
        for had in [
            format!(
                "<rdf:Description xmlns:e=\"{NAMESPACE}\" e:DigitalSourceType=\"old\" e:x='1'/>"
            ),
            format!(
                "<rdf:Description xmlns:e='{NAMESPACE}'><e:DigitalSourceType>old</e:DigitalSourceType></rdf:Description>"
            ),
            format!(
                "<rdf:Description xmlns:e=\"{NAMESPACE}\"><e:DigitalSourceType rdf:resource=\"old\"/></rdf:Description>"
            ),
            String::new(),
        ] {
            let before = format!("{head}{dc}{had}</rdf:RDF></x:xmpmeta>");
            let after = labelled(Some(before.as_bytes()), composite).unwrap();
            let after = String::from_utf8(after).unwrap();
            assert!(after.contains(dc) && after.contains(&composite.iri()), "{after}");
            assert_eq!(count(&after), 1, "{after}");
            assert!(!after.contains("old"), "{after}");
            // Once more changes nothing.
            let again = labelled(Some(after.as_bytes()), composite).unwrap();
            assert_eq!(String::from_utf8(again).unwrap().matches(&composite.iri()).count(), 1);
        }
        assert!(labelled(Some(b"<x:xmpmeta/>"), composite).is_none());
        assert!(labelled(Some(&[0xff, 0xfe, 0]), composite).is_none());
    }

    #[test]
    fn a_new_packet_says_what_it_is() {
        let made = labelled(None, DigitalSource::TrainedAlgorithm).unwrap();
        let text = String::from_utf8(made).unwrap();
        assert!(text.starts_with("<?xpacket begin=") && text.ends_with("<?xpacket end=\"w\"?>"));
        assert!(text.contains("digitalsourcetype/trainedAlgorithmicMedia\""));
    }
}
