//! What destinations are for.

use std::str::FromStr;

use ebb_core::{Code, Failure, suggest};
use serde::{Deserialize, Serialize};

/// What a destination is for: people look for tools by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Audiences and conversions of advertisers.
    Advertising,
    /// What people do with a product.
    Analytics,
    /// Sales: people, companies, deals.
    Crm,
    /// Profiles that other tools are fed from.
    CustomerData,
    /// Building blocks for programmers.
    Developer,
    /// Campaigns and newsletters by several ways.
    Engagement,
    /// Spreadsheets, object stores, queues, databases.
    FilesAndData,
    /// Single messages: chat, text messages, mail.
    Messaging,
    /// Feature switches, experiments, personalisation.
    Product,
    /// Tickets and conversations with customers.
    Support,
}

impl Category {
    /// Every category, by its label.
    pub const ALL: [Self; 10] = [
        Self::Advertising,
        Self::Analytics,
        Self::Crm,
        Self::CustomerData,
        Self::Developer,
        Self::Engagement,
        Self::FilesAndData,
        Self::Messaging,
        Self::Product,
        Self::Support,
    ];

    /// As manifests and programs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advertising => "advertising",
            Self::Analytics => "analytics",
            Self::Crm => "crm",
            Self::CustomerData => "customer-data",
            Self::Developer => "developer",
            Self::Engagement => "engagement",
            Self::FilesAndData => "files-and-data",
            Self::Messaging => "messaging",
            Self::Product => "product",
            Self::Support => "support",
        }
    }

    /// As people read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Advertising => "Advertising",
            Self::Analytics => "Analytics",
            Self::Crm => "CRM",
            Self::CustomerData => "Customer data",
            Self::Developer => "Developer",
            Self::Engagement => "Engagement",
            Self::FilesAndData => "Files and data",
            Self::Messaging => "Messaging",
            Self::Product => "Product",
            Self::Support => "Support",
        }
    }
}

impl FromStr for Category {
    type Err = Failure;

    /// Fails with `C506`.
    fn from_str(text: &str) -> Result<Self, Failure> {
        Self::ALL.into_iter().find(|category| category.as_str() == text).ok_or_else(|| {
            Failure::new(Code::ConfigName, format!("`{text}` is not a category of destinations"))
                .help(suggest::allowed(text, Self::ALL.map(Self::as_str)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Category;

    #[test]
    fn categories_are_read_as_they_are_written() {
        for category in Category::ALL {
            let text = category.as_str();
            assert_eq!(text.parse::<Category>().unwrap(), category);
            assert_eq!(serde_json::to_value(category).unwrap(), text);
        }
        assert!(Category::ALL.is_sorted());
        let unknown = "crmm".parse::<Category>().unwrap_err();
        assert!(unknown.advice().contains("Did you mean `crm`?"), "{}", unknown.advice());
    }
}
