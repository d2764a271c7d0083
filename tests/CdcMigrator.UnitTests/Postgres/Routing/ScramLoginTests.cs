using CdcMigrator.Postgres.Routing;

namespace CdcMigrator.UnitTests.Postgres.Routing;

public sealed class ScramLoginTests
{
    /// <summary>The example of RFC 7677 with the empty name that PostgreSQL's clients send.</summary>
    private const string Nonce = "rOprNGfwEbeRWgbNEkqO";
    private const string Challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    [Fact]
    public void A_login_proves_the_password_and_knows_a_server_that_does()
    {
        var login = new ScramLogin("pencil", Nonce);
        Assert.Equal("n,,n=,r=rOprNGfwEbeRWgbNEkqO", login.First);
        var final = login.Final(Challenge);
        Assert.StartsWith("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=", final, StringComparison.Ordinal);
        Assert.False(login.IsServer("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        Assert.False(login.IsServer("e=other-error"));
        Assert.False(login.IsServer("v=%"));
    }

    [Theory]
    [InlineData("r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,i=4096")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=%,i=1")]
    [InlineData("")]
    public void What_is_no_challenge_of_this_login_is_refused(string challenge) =>
        Assert.Throws<FormatException>(() => new ScramLogin("pencil", Nonce).Final(challenge));
}
