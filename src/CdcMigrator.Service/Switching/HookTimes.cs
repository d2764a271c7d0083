using System.Text.Json;
using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Service.Api;
using Npgsql;

namespace CdcMigrator.Service.Switching;

/// <summary>How long hooks took in earlier attempts, by a side's journal.</summary>
internal sealed class HookTimes
{
    /// <summary>Attempts that are looked at, the last ones first.</summary>
    private const int Attempts = 20;
    private readonly ILookup<(HookMoment Moment, string Hook), TimeSpan> known;

    /// <param name="outcomes">What earlier runs came to.</param>
    public HookTimes(IEnumerable<HookOutcome> outcomes) =>
        known = outcomes.Where(outcome => outcome.Succeeded).ToLookup(outcome => (outcome.Moment, outcome.Hook), outcome => outcome.Elapsed);

    /// <summary>Reads the journal.</summary>
    public static async Task<HookTimes> ReadAsync(NpgsqlDataSource side, string migration, CancellationToken cancellationToken)
    {
        await using var command = side.CreateCommand(
            "select evidence -> 'report' ->> 'hooks' from cdc_migrator.journal where migration = $1 and event like 'cutover-%' and evidence -> 'report' ? 'hooks' order by id desc limit $2");
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = Attempts });
        var outcomes = new List<HookOutcome>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            outcomes.AddRange(JsonSerializer.Deserialize<List<HookOutcome>>(reader.GetString(0), ApiJson.Options) ?? []);
        }

        return new HookTimes(outcomes);
    }

    /// <summary>A moment's hooks one after the other; null where there are none, or none was ever run.</summary>
    /// <param name="hooks">Those of the migration file.</param>
    /// <param name="moment">When.</param>
    /// <param name="unmeasured">Takes the names of those that were never run.</param>
    public MeasuredTime? Of(RoutingHooks hooks, HookMoment moment, ICollection<string> unmeasured)
    {
        MeasuredTime? sum = null;
        foreach (var hook in hooks.At(moment))
        {
            var times = known[(moment, hook.Name)].ToList();
            if (times.Count == 0)
            {
                unmeasured.Add(hook.Name);
                continue;
            }

            sum = (sum ?? default).Plus(MeasuredTime.Of(times));
        }

        return sum;
    }
}
