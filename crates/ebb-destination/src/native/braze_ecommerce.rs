//! Braze's recommended events of shops.

use ebb_core::{Code, Failure, Object, Value};

use super::{Context, Native};
use crate::template::is_truthy;

/// Adds to a common event what its name calls for.
#[derive(Debug)]
pub(super) struct Ecommerce;

/// What a product has beside its metadata.
const PRODUCT: &[&str] =
    &["quantity", "product_id", "product_name", "variant_id", "price", "image_url", "product_url"];

impl Native for Ecommerce {
    fn item<'v>(
        &'v self,
        made: Option<Value<'v>>,
        payload: &'v Value<'v>,
        _context: &Context<'v>,
    ) -> Result<Option<Value<'v>>, Failure> {
        let wrong = |what: String| Failure::new(Code::PayloadInvalid, what);
        let field = |key: &str| payload.as_object().and_then(|payload| payload.get(key));
        if let Some(time) = field("time")
            && ebb_mapping::milliseconds(time).is_none()
        {
            return Err(wrong("`time` is not a time".to_owned()));
        }
        let Some(Value::Object(mut event)) = made else { return Ok(None) };
        let Some(Value::Object(properties)) = event.get_mut("properties") else { return Ok(None) };
        let mut put = |key: &'static str, value: Option<&'v Value<'v>>| {
            if let Some(value) = value {
                properties.insert(key, value.borrowed());
            }
        };
        let filled = |key: &str| field(key).filter(|value| is_truthy(Some(value)));
        let number = |key: &str| field(key).filter(|value| matches!(value, Value::Number(_)));
        let name = field("name").and_then(Value::as_str).unwrap_or_default();
        match name {
            "ecommerce.product_viewed" => {
                if let Some(product) = field("product").and_then(Value::as_object) {
                    for (key, value) in product.iter() {
                        properties.insert(key, value.borrowed());
                    }
                }
                return Ok(Some(event.into()));
            }
            "ecommerce.checkout_started" => {
                put("checkout_id", field("checkout_id"));
                put("cart_id", filled("cart_id"));
            }
            "ecommerce.order_placed" => {
                put("order_id", field("order_id"));
                put("total_discounts", number("total_discounts"));
                put("discounts", filled("discounts"));
                put("cart_id", filled("cart_id"));
            }
            "ecommerce.order_refunded" => {
                put("order_id", field("order_id"));
                put("total_discounts", number("total_discounts"));
                put("discounts", filled("discounts"));
            }
            "ecommerce.order_cancelled" => {
                put("order_id", field("order_id"));
                put("cancel_reason", field("cancel_reason"));
                put("total_discounts", number("total_discounts"));
                put("discounts", filled("discounts"));
            }
            name => return Err(wrong(format!("`{name}` is not one of the events of a shop"))),
        }
        put("total_value", field("total_value"));
        let products = field("products").and_then(Value::as_array);
        let products = products.ok_or_else(|| wrong("`products` must have a value".to_owned()))?;
        properties.insert("products", Value::Array(products.iter().map(product).collect()));
        Ok(Some(event.into()))
    }
}

/// A product whose other keys are its metadata.
fn product<'v>(product: &'v Value<'v>) -> Value<'v> {
    let Some(product) = product.as_object() else { return Object::new().into() };
    let mut own = Object::new();
    let mut metadata = Object::new();
    for (key, value) in product.iter() {
        let place = if PRODUCT.contains(&key) { &mut own } else { &mut metadata };
        place.push(key, value.borrowed());
    }
    if !metadata.is_empty() {
        own.push("metadata", metadata.into());
    }
    own.into()
}
