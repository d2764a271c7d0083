using System.Globalization;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using YamlDotNet.RepresentationModel;

namespace CdcMigrator.Service.Configuration;

/// <summary>
/// One mapping of a migration file. Every method notes what is wrong with its key and then returns a harmless value, so that
/// reading goes on to the next mistake.
/// </summary>
internal sealed class SectionReader
{
    private readonly YamlMappingNode? node;
    private readonly YamlNode place;
    private readonly string path;
    private readonly ReadingContext context;
    private readonly HashSet<string> misspelt = [];

    /// <param name="node">The mapping; null where the file leaves the section out.</param>
    /// <param name="place">Where a missing key is reported.</param>
    /// <param name="path">Path of the section in <see cref="MigrationKeys"/>.</param>
    /// <param name="context">The reading.</param>
    public SectionReader(YamlMappingNode? node, YamlNode place, string path, ReadingContext context)
    {
        this.node = node;
        this.place = place;
        this.path = path;
        this.context = context;
        RefuseUnknownKeys();
    }

    /// <summary>Whether the file holds the section.</summary>
    public bool Exists => node is not null;

    /// <summary>Whether the section holds a key.</summary>
    public bool Has(string key) => Child(key) is not null;

    public string Text(string key, string? otherwise = null) => Scalar(key, required: otherwise is null)?.Text ?? otherwise ?? "";

    /// <summary>A required text that says something.</summary>
    public string Filled(string key)
    {
        var scalar = Scalar(key, required: true);
        if (scalar is not { } found || !string.IsNullOrWhiteSpace(found.Text))
        {
            return scalar?.Text ?? "";
        }

        context.Add(found.Node, $"{Full(key)} is empty");
        return "";
    }

    public T Choice<T>(string key, T otherwise, params (string Name, T Value)[] choices)
    {
        if (Scalar(key, required: false) is not { } scalar)
        {
            return otherwise;
        }

        foreach (var (name, value) in choices)
        {
            if (string.Equals(name, scalar.Text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        var names = choices.Select(choice => choice.Name).ToList();
        context.Add(scalar.Node, $"'{scalar.Text}' is not a value of {Full(key)}; it is one of {string.Join(", ", names)}{Suggestion(scalar.Text, names)}");
        return otherwise;
    }

    public int Integer(string key, int otherwise, int least, int most) => Parsed(
        key, otherwise, $"a whole number from {least} to {most}",
        text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most ? value : null);

    public decimal Number(string key, decimal otherwise) => Parsed(
        key, otherwise, "a number that is not negative",
        text => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= 0 ? value : null);

    public TimeSpan Duration(string key, TimeSpan otherwise) =>
        Parsed(key, otherwise, Durations.Form, text => Durations.TryParse(text, out var value) && value > TimeSpan.Zero ? value : null);

    public long Size(string key, long otherwise) => Parsed(key, otherwise, Sizes.Form, text => Sizes.TryParse(text, out var value) && value > 0 ? value : null);

    public Uri? Url(string key, bool required = false)
    {
        if (Scalar(key, required) is not { } scalar)
        {
            return null;
        }

        if (Uri.TryCreate(scalar.Text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
        {
            return url;
        }

        context.Add(scalar.Node, $"{Full(key)} must be an http or https address like http://127.0.0.1:8083");
        return null;
    }

    public TableName Table(string key, TableName? otherwise = null)
    {
        if (Scalar(key, required: otherwise is null) is not { } scalar)
        {
            return otherwise ?? default;
        }

        try
        {
            return TableName.Parse(scalar.Text);
        }
        catch (FormatException e)
        {
            context.Add(scalar.Node, e.Message);
            return default;
        }
    }

    public IReadOnlyList<string> Texts(string key) => [.. HookTexts(key).Select(text => text.Value)];

    /// <summary>A text with what may be shown of it; null where the key is left out.</summary>
    public HookText? HookText(string key) => Child(key) is { } child && !IsAbsent(child) ? TextOf(child, Full(key)) : null;

    public IReadOnlyList<HookText> HookTexts(string key)
    {
        var child = Child(key);
        if (IsAbsent(child))
        {
            return [];
        }

        if (child is not YamlSequenceNode sequence)
        {
            context.Add(child!, $"{Full(key)} must be a list: [a, b]");
            return [];
        }

        return [.. sequence.Children.Select(item => TextOf(item, $"an entry of {Full(key)}")).OfType<HookText>()];
    }

    public IReadOnlyDictionary<string, string> Map(string key) => HookMap(key).ToDictionary(pair => pair.Key, pair => pair.Value.Value, StringComparer.Ordinal);

    public IReadOnlyDictionary<string, HookText> HookMap(string key)
    {
        var result = new Dictionary<string, HookText>(StringComparer.Ordinal);
        var child = Child(key);
        if (IsAbsent(child))
        {
            return result;
        }

        if (child is not YamlMappingNode mapping)
        {
            context.Add(child!, $"{Full(key)} must be a map: {{ name: value }}");
            return result;
        }

        foreach (var (name, value) in mapping.Children)
        {
            if (name is YamlScalarNode { Value: { Length: > 0 } text } && TextOf(value, $"{Full(key)}.{text}") is { } content)
            {
                result[text] = content;
            }
        }

        return result;
    }

    /// <summary>A section inside this one. <paramref name="shorthand"/> names the key a plain text in its place stands for.</summary>
    public SectionReader Section(string key, bool required = false, string? shorthand = null)
    {
        var child = Child(key);
        var sectionPath = Full(key);
        if (IsAbsent(child) || (!required && child is YamlSequenceNode { Children.Count: 0 }))
        {
            if (required && !misspelt.Contains(key))
            {
                context.Add(place, $"key '{key}' is missing");
            }

            return new SectionReader(null, place, sectionPath, context);
        }

        return Entry(child!, sectionPath, shorthand);
    }

    /// <summary>Sections by names of the writer's choice. Without the map one empty section is read, so that its keys are known.</summary>
    public IReadOnlyDictionary<string, SectionReader> Sections(string key)
    {
        var child = Child(key);
        var sections = new Dictionary<string, SectionReader>(StringComparer.Ordinal);
        if (child is YamlMappingNode mapping)
        {
            foreach (var (name, value) in mapping.Children)
            {
                sections[(name as YamlScalarNode)?.Value ?? name.ToString()] = Entry(value, $"{Full(key)}.*", null);
            }
        }
        else if (!IsAbsent(child))
        {
            context.Add(child!, $"{Full(key)} must be a map: {{ column: {{ … }} }}");
        }

        return sections;
    }

    /// <summary>A word for which YAML's null is a word too; null where the key is left out.</summary>
    public string? Word(string key) => Child(key) is YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: "null" or "~" } ? "null" : Scalar(key, required: false)?.Text;

    /// <summary>The entries of a list of sections.</summary>
    /// <param name="key">Key of the list.</param>
    /// <param name="required">Whether there must be one.</param>
    /// <param name="shorthand">The key a plain text in the place of an entry stands for.</param>
    /// <param name="entryPath">Where the keys of an entry stand in the table, if several lists share them.</param>
    public IReadOnlyList<SectionReader> Entries(string key, bool required = false, string? shorthand = null, string? entryPath = null)
    {
        var child = Child(key);
        if (child is YamlSequenceNode sequence && (sequence.Children.Count > 0 || !required))
        {
            return [.. sequence.Children.Select(item => Entry(item, entryPath ?? $"{Full(key)}[]", shorthand))];
        }

        if (!IsAbsent(child) || (required && !misspelt.Contains(key)))
        {
            context.Add(child ?? place, child is null ? $"key '{key}' is missing" : $"{Full(key)} must be a list{(required ? " with at least one entry" : "")}");
        }

        return [];
    }

    /// <summary>Reports a key that other keys make necessary, unless it is there under a misspelt name.</summary>
    public void Missing(string key, string why)
    {
        if (!misspelt.Contains(key))
        {
            context.Add(place, $"key '{key}' is missing in {path}: {why}");
        }
    }

    /// <summary>Reports a mistake at a key's value or, where the file has none, at the section.</summary>
    public void Fail(string key, string message) => context.Add(Child(key) ?? place, message);

    private static bool IsAbsent(YamlNode? child) => child is null or YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: null or "" or "~" or "null" };

    private static string Suggestion(string name, IEnumerable<string> candidates) =>
        NearestName.Of(name, candidates) is { } meant ? $"; did you mean '{meant}'?" : "";

    private SectionReader Entry(YamlNode child, string sectionPath, string? shorthand)
    {
        if (child is YamlMappingNode mapping)
        {
            return new SectionReader(mapping, mapping, sectionPath, context);
        }

        if (child is YamlScalarNode scalar && shorthand is not null)
        {
            var expanded = new YamlMappingNode();
            expanded.Add(new YamlScalarNode(shorthand), scalar);
            return new SectionReader(expanded, child, sectionPath, context);
        }

        context.Add(child, $"{sectionPath} must be a section of keys: {string.Join(", ", MigrationKeys.NamesIn(sectionPath))}");
        return new SectionReader(null, child, sectionPath, context);
    }

    private string Full(string key) => path.Length == 0 ? key : $"{path}.{key}";

    /// <summary>Also notes which missing key was probably meant, so that it is not reported a second time.</summary>
    private void RefuseUnknownKeys()
    {
        var known = MigrationKeys.NamesIn(path);
        foreach (var key in node?.Children.Keys ?? [])
        {
            var name = (key as YamlScalarNode)?.Value ?? key.ToString();
            if (!known.Contains(name))
            {
                var where = path.Length == 0 ? "" : $" in {path}";
                var meant = NearestName.Of(name, known);
                misspelt.Add(meant ?? "");
                context.Add(key, $"unknown key '{name}'{where}; {(meant is null ? $"known are {string.Join(", ", known)}" : $"did you mean '{meant}'?")}");
            }
        }
    }

    private YamlNode? Child(string key)
    {
        var full = Full(key);
        if (!MigrationKeys.All.Any(known => known.Path == full))
        {
            throw new InvalidOperationException($"{full} is not in the key table");
        }

        context.Asked.Add(full);
        return node?.Children.FirstOrDefault(pair => pair.Key is YamlScalarNode scalar && scalar.Value == key).Value;
    }

    private (string Text, YamlNode Node)? Scalar(string key, bool required)
    {
        var child = Child(key);
        if (IsAbsent(child))
        {
            if (required && node is not null && !misspelt.Contains(key))
            {
                context.Add(child ?? place, path.Length == 0 ? $"key '{key}' is missing" : $"key '{key}' is missing in {path}");
            }

            return null;
        }

        return TextOf(child!, Full(key)) is { } text ? (text.Value, child!) : null;
    }

    private HookText? TextOf(YamlNode child, string what)
    {
        if (child is YamlScalarNode scalar)
        {
            return context.HookTextOf(scalar);
        }

        context.Add(child, $"{what} must be a single value");
        return null;
    }

    private T Parsed<T>(string key, T otherwise, string form, Func<string, T?> parse)
        where T : struct
    {
        if (Scalar(key, required: false) is not { } scalar)
        {
            return otherwise;
        }

        if (parse(scalar.Text) is { } value)
        {
            return value;
        }

        context.Add(scalar.Node, $"{Full(key)} is '{scalar.Text}' but must be {form}");
        return otherwise;
    }
}
