//! The reference of commands, options and environment variables, made from what the command line is parsed with: it cannot say
//! anything else than the program does.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::{Arg, ArgAction, Command};

const HEAD: &str = "# Commands and configuration

Made by `hayward reference` from the program's own definitions; a test fails where the two differ. An option goes before its
environment variable, that before the default.
";

/// What the environment can say, in one row.
struct Variable {
    option: String,
    default: String,
    meaning: String,
    commands: Vec<String>,
}

/// The reference, in Markdown.
#[must_use]
pub fn text(root: &Command) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n## Environment variables\n\n| variable | option | default | meaning | commands |\n|---|---|---|---|---|\n");
    for (name, variable) in variables(root) {
        let Variable { option, default, meaning, commands } = variable;
        // Writing to a `String` cannot fail.
        let _written = writeln!(text, "| `{name}` | `{option}` | {default} | {meaning} | {} |", commands.join(", "));
    }
    text.push_str("\n## Commands\n\nExit status: 0 done, 1 there were problems, 2 refused. With `--json` a command prints one JSON object.\n");
    walk(root, "hayward", &mut |path, command| {
        if command.has_subcommands() && command.get_arguments().next().is_none() {
            return;
        }
        section(path, command, &mut text);
    });
    text
}

/// The names of the environment variables, sorted.
#[must_use]
pub fn variable_names(root: &Command) -> Vec<String> {
    variables(root).into_keys().collect()
}

fn variables(root: &Command) -> BTreeMap<String, Variable> {
    let mut found: BTreeMap<String, Variable> = BTreeMap::new();
    walk(root, "hayward", &mut |path, command| {
        for arg in command.get_arguments() {
            let Some(name) = arg.get_env() else { continue };
            let variable = found.entry(name.to_string_lossy().into_owned()).or_insert_with(|| Variable {
                option: option(arg),
                default: default(arg),
                meaning: meaning(arg),
                commands: Vec::new(),
            });
            let short = path.strip_prefix("hayward ").unwrap_or("all");
            variable.commands.push(if short == "all" { short.to_owned() } else { format!("`{short}`") });
        }
    });
    found
}

fn walk(command: &Command, path: &str, visit: &mut impl FnMut(&str, &Command)) {
    visit(path, command);
    for each in command.get_subcommands().filter(|each| !each.is_hide_set()) {
        walk(each, &format!("{path} {}", each.get_name()), visit);
    }
}

fn section(path: &str, command: &Command, text: &mut String) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _written = write!(text, "\n### `{path}`\n\n{}\n", sentence(&about));
    let mut arguments = command.get_arguments().filter(|arg| !arg.is_hide_set()).peekable();
    if arguments.peek().is_none() {
        return;
    }
    text.push_str("\n| option | default | meaning |\n|---|---|---|\n");
    for arg in arguments {
        let _written = writeln!(text, "| `{}` | {} | {} |", option(arg), default(arg), meaning(arg));
    }
}

fn option(arg: &Arg) -> String {
    let name = arg.get_id().as_str().to_uppercase();
    let value = arg.get_value_names().and_then(|names| names.first()).map_or(name, ToString::to_string);
    match arg.get_long() {
        None => value,
        Some(long) if matches!(arg.get_action(), ArgAction::SetTrue) => format!("--{long}"),
        Some(long) => format!("--{long} {value}"),
    }
}

fn default(arg: &Arg) -> String {
    let values: Vec<String> = arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    match values.join(" ") {
        _ if matches!(arg.get_action(), ArgAction::SetTrue) => "off".to_owned(),
        none if none.is_empty() => if arg.is_required_set() { "needed" } else { "" }.to_owned(),
        value => format!("`{value}`"),
    }
}

fn meaning(arg: &Arg) -> String {
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    sentence(&help.replace('\n', " ").replace('|', "\\|"))
}

/// Help ends with a full stop or without, as clap takes it; here every sentence ends.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use std::path::PathBuf;

    use super::*;

    fn file(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
    }

    /// `HAYWARD_WRITE_DOCS=1` writes it anew.
    #[test]
    fn the_reference_says_what_the_program_does() {
        let (path, now) = (file("docs/configuration.md"), text(&crate::cli::command()));
        if std::env::var_os("HAYWARD_WRITE_DOCS").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), now, "`hayward reference > docs/configuration.md` writes it anew");
    }

    #[test]
    fn the_example_configuration_has_every_variable_and_no_other() {
        let example = std::fs::read_to_string(file("deploy/hayward.env.example")).unwrap();
        let assignments = example.lines().filter_map(|line| line.trim_start_matches("# ").split_once('='));
        let word = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        let mut named: Vec<&str> = assignments.map(|(name, _)| name).filter(|name| word(name)).collect();
        named.sort_unstable();
        named.dedup();
        // What a partner sets on a machine of its own is no part of an installation.
        let elsewhere = ["HAYWARD_CLIENT_ID", "HAYWARD_PROFILE", "HAYWARD_TOKEN", "HAYWARD_TOKEN_FILE", "HAYWARD_URL"];
        let mut wanted = variable_names(&crate::cli::command());
        wanted.retain(|name| !elsewhere.contains(&name.as_str()));
        assert_eq!(named, wanted);
    }
}
