namespace CdcMigrator.Service.Api;

/// <summary>The control group of a self-test: rows that are equal, values at the ends of what types hold among them.</summary>
/// <param name="Compared">How often such a row was compared.</param>
/// <param name="Reported">How often one was reported all the same.</param>
public sealed record SelfTestControl(long Compared, long Reported);
