using System.Text;

namespace CdcMigrator.Service.Configuration;

/// <summary>
/// Replaces <c>${NAME}</c> by the environment variable of that name or, where only <c>NAME_FILE</c> is set, by the content of the
/// file it names, without the newline at its end. An empty variable counts as missing. <c>$${</c> stands for <c>${</c>.
/// </summary>
internal sealed class EnvironmentReferences(Func<string, string?> environment)
{
    /// <summary>Expands a text. Null, with what is wrong, where a reference leads nowhere.</summary>
    /// <param name="text">The text.</param>
    /// <param name="error">What is wrong.</param>
    /// <param name="values">Takes what references stand for.</param>
    public string? Expand(string text, out string? error, ICollection<string>? values = null)
    {
        error = null;
        if (!text.Contains("${", StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text.AsSpan(i).StartsWith("$${"))
            {
                result.Append("${");
                i += 2;
                continue;
            }

            if (!text.AsSpan(i).StartsWith("${"))
            {
                result.Append(text[i]);
                continue;
            }

            var end = text.IndexOf('}', i);
            if (end < 0 || !IsName(text.AsSpan(i + 2, end - i - 2)))
            {
                error = "'${' must be followed by the name of an environment variable and '}'; write '$${' for a literal '${'";
                return null;
            }

            var value = Read(text[(i + 2)..end], out error);
            if (value is null)
            {
                return null;
            }

            values?.Add(value);
            result.Append(value);
            i = end;
        }

        return result.ToString();
    }

    private static bool IsName(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
            {
                return false;
            }
        }

        return name.Length > 0 && !char.IsAsciiDigit(name[0]);
    }

    private string? Read(string name, out string? error)
    {
        error = null;
        if (environment(name) is { Length: > 0 } value)
        {
            return value;
        }

        if (environment($"{name}_FILE") is not { Length: > 0 } path)
        {
            error = $"environment variable {name} is not set (nor {name}_FILE, which would name a file that holds the value)";
            return null;
        }

        try
        {
            return File.ReadAllText(path).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"{name}_FILE names {path}, which cannot be read: {e.Message}";
            return null;
        }
    }
}
