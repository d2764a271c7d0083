namespace CdcMigrator.Service.Api;

/// <summary>How many expectations were met.</summary>
/// <param name="EvaluatedExpectations">All of them.</param>
/// <param name="SuccessfulExpectations">Those met.</param>
/// <param name="UnsuccessfulExpectations">Those not met.</param>
/// <param name="SuccessPercent">Share of those met; null where there were none.</param>
public sealed record GreatExpectationsStatistics(int EvaluatedExpectations, int SuccessfulExpectations, int UnsuccessfulExpectations, double? SuccessPercent);
