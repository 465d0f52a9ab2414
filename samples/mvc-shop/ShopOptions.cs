using System.ComponentModel.DataAnnotations;

namespace MvcShop;

public sealed class ShopOptions
{
    [Required] public string Name { get; set; } = "";
    [Range(1, 50)] public int PageSize { get; set; } = 6;
    [Range(0, 1000)] public int LowStock { get; set; } = 5;
}

/// <summary>Stands for Resources/Texts.*.resx, which hold the translations.</summary>
public sealed class Texts;
