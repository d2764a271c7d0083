using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CdcMigrator.Postgres.Routing;

/// <summary>SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding, as the client.</summary>
internal sealed class ScramLogin(string password, string nonce)
{
    public const string Mechanism = "SCRAM-SHA-256";
    private const string NoBinding = "n,,";
    private byte[] expectedSignature = [];

    /// <summary>A login with a nonce of its own.</summary>
    public ScramLogin(string password)
        : this(password, Convert.ToBase64String(RandomNumberGenerator.GetBytes(18)))
    {
    }

    // The server takes the name from the startup message.
    public string First => $"{NoBinding}n=,r={nonce}";

    /// <summary>Answers the server's challenge.</summary>
    /// <exception cref="FormatException">The challenge is not one, or not for this login.</exception>
    public string Final(string challenge)
    {
        var fields = challenge.Split(',').Where(field => field.Length > 1 && field[1] == '=').ToDictionary(field => field[0], field => field[2..]);
        if (!fields.TryGetValue('r', out var both) || !both.StartsWith(nonce, StringComparison.Ordinal) || both.Length == nonce.Length
            || !fields.TryGetValue('s', out var salt) || !int.TryParse(fields.GetValueOrDefault('i'), NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations < 1)
        {
            throw new FormatException("the challenge of the login is not SCRAM's");
        }

        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), Convert.FromBase64String(salt), iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var withoutProof = $"c={Convert.ToBase64String(Encoding.ASCII.GetBytes(NoBinding))},r={both}";
        var message = Encoding.UTF8.GetBytes($"{First[NoBinding.Length..]},{challenge},{withoutProof}");
        var clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        var proof = HMACSHA256.HashData(SHA256.HashData(clientKey), message);
        for (var i = 0; i < proof.Length; i++)
        {
            proof[i] ^= clientKey[i];
        }

        expectedSignature = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), message);
        return $"{withoutProof},p={Convert.ToBase64String(proof)}";
    }

    /// <summary>Whether the server knows the password too.</summary>
    public bool IsServer(string final) =>
        final.StartsWith("v=", StringComparison.Ordinal) && CryptographicOperations.FixedTimeEquals(expectedSignature, Decode(final[2..]));

    private static byte[] Decode(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text.Split(',')[0], bytes, out var length) ? bytes[..length] : [];
    }
}
