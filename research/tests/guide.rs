//! Every example of the guide is understood by the program.

use argonaut_research::catalog::CatalogSpec;
use argonaut_research::feed::FeedSpec;
use argonaut_research::feed::lean::LeanSpec;
use argonaut_research::feed::spec::CsvSpec;
use argonaut_research::hours::HoursSpec;

fn blocks() -> Vec<String> {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/data.md")).unwrap();
    guide.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_string()).collect()
}

fn check<T: serde::de::DeserializeOwned>(value: &toml::Value, block: &str) {
    if let Err(error) = value.clone().try_into::<T>() {
        panic!("{error}\n{block}");
    }
}

#[test]
fn examples_are_valid() {
    let blocks = blocks();
    assert!(blocks.len() >= 7, "{}", blocks.len());
    for block in blocks {
        // Some blocks show several ways to write the same key.
        let pieces: Vec<String> = match block.matches("\ncsv = ").count() {
            0 => vec![block.clone()],
            _ => block.lines().filter(|line| line.starts_with("csv = ")).map(Into::into).collect(),
        };
        for piece in pieces {
            // A part of a source is shown without the instrument that stands before it.
            let piece = match piece.starts_with("[market.feed.sources.csv]") {
                true => format!("[[market.feed.sources]]\ninstrument = \"GBPUSD\"\n{piece}"),
                false => piece,
            };
            let table: toml::Table = toml::from_str(&piece).unwrap_or_else(|error| panic!("{error}\n{piece}"));
            for (key, value) in &table {
                match key.as_str() {
                    "market" => check::<FeedSpec>(&value["feed"], &piece),
                    "instruments" => check::<HoursSpec>(&value["hours"], &piece),
                    "csv" => check::<CsvSpec>(value, &piece),
                    "lean" => check::<LeanSpec>(value, &piece),
                    "catalog" => check::<CatalogSpec>(value, &piece),
                    other => panic!("{other}\n{piece}"),
                }
            }
        }
    }
}
