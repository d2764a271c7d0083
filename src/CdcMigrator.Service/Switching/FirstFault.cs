namespace CdcMigrator.Service.Switching;

/// <summary>Work that is done side by side while writes are denied: what cannot be proven any more is not worked on until the others are done.</summary>
internal static class FirstFault
{
    /// <summary>Waits for all; the first that fails calls the others off, and is what is thrown once they have ended.</summary>
    /// <param name="together">Cancels what the work goes by.</param>
    /// <param name="work">What runs.</param>
    public static async Task WhenAllAsync(CancellationTokenSource together, params Task[] work)
    {
        ArgumentNullException.ThrowIfNull(together);
        Task? failed = null;
        await foreach (var ended in Task.WhenEach(work))
        {
            if (failed is null && !ended.IsCompletedSuccessfully)
            {
                failed = ended;
                await together.CancelAsync();
            }
        }

        await (failed ?? Task.CompletedTask);
    }
}
