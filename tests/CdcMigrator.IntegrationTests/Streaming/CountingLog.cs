using System.Collections.Concurrent;

namespace CdcMigrator.IntegrationTests.Streaming;

/// <summary>Keeps what was logged, by event id.</summary>
public sealed class CountingLog : ILoggerProvider, ILogger
{
    public ConcurrentQueue<(int Event, LogLevel Level, string Text)> Lines { get; } = new();

    public int Count(int eventId) => Lines.Count(line => line.Event == eventId);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((eventId.Id, logLevel, formatter(state, exception) + exception));

    public void Dispose()
    {
    }
}
