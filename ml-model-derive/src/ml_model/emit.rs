//! Generates the code. For a model with `prediction_id` and `logging` it is
//!
//! ```text
//! const _: () = {
//!     use ::ml_model_core::__private as __core;
//!     const __CHECKED: __core::bool = __core::check::<Model>();
//!     type __Model = __core::Checked<Model, __CHECKED>; // the same type
//!     static __SITES: __core::LogSites = /* names of the fields */;
//!     struct __Log;
//!     impl<__AnyModel: __core::ModelOf<__Model>> __core::Recorder<__AnyModel> for __Log { /* reads fields */ }
//!     fn __stack(model: &__Model) -> impl __core::ModelOf<__Model> + '_ { /* composes the decorators */ }
//!     impl __core::MLModel for Model { /* delegates to the stack */ }
//!     impl __core::Described for Model { /* metadata and execution */ }
//! };
//! ```
//!
//! The user's expressions stand inside the block, so all names of generated items start with two
//! underscores.

use heck::ToSnakeCase;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{GenericParam, Generics, Lifetime, parse_quote};

use super::check::{Decorator, Logging, Model};
use super::decorator::DECORATORS;
use super::field::Field;
use super::policy::Policy;

/// Generates the code for one model.
pub(super) fn emit(model: &Model<'_>) -> TokenStream {
    let krate = &model.krate;
    let logging = model.decorators.iter().find_map(|decorator| match decorator {
        Decorator::Logging(logging) => Some(recorder(model, logging)),
        _ => None,
    });
    let stack = stack(model);
    let implementation = implementation(model);
    let checked = checked(model);
    let allow_deprecated = model.is_deprecated.then(|| quote!(#[allow(deprecated)]));
    // The derive adds bounds to the parameters, whatever a `where` clause has.
    let allow_bounds = (!model.generics.params.is_empty())
        .then(|| quote!(#[allow(clippy::multiple_bound_locations)]));
    quote! {
        #[doc(hidden)]
        #allow_deprecated
        #allow_bounds
        const _: () = {
            use #krate::__private as __core;
            #checked
            #logging
            #stack
            #implementation
        };
    }
}

/// Generates the check of the model and the alias `__Model` of the checked type.
///
/// rustc reports what the model lacks in the check alone: its const is then an error, and rustc reports nothing about
/// types that contain one. A const cannot depend on parameters, so that a generic model has no check.
fn checked(model: &Model<'_>) -> Option<TokenStream> {
    let model_type = model_type(model);
    is_checked(model).then(|| {
        quote_spanned! {name_span(model)=>
            const __CHECKED: __core::bool = __core::check::<#model_type>();
            type __Model = __core::Checked<#model_type, __CHECKED>;
        }
    })
}

/// Generates the `Recorder`, which reads the fields of the records.
fn recorder(model: &Model<'_>, logging: &Logging) -> TokenStream {
    let model_type = checked_type(model);
    let (generics, type_generics, where_clause) = model.own_generics.split_for_impl();

    // The call has the span of the user's attribute, so that the records name its line.
    let level = Ident::new(logging.level, Span::call_site());
    let target = &logging.target;
    let (input, output) = (listed(&logging.input_fields), listed(&logging.output_fields));
    let arguments = quote!(#target, __core::Level::#level, &[#(#input),*], &[#(#output),*]);
    let sites = match sampling(logging) {
        None => quote_spanned!(logging.span=> __core::LogSites::new(#arguments)),
        Some(sampling) => {
            quote_spanned!(logging.span=> __core::LogSites::sampled(#arguments, #sampling))
        }
    };

    let declaration = if model.generics.params.is_empty() {
        quote!(
            struct __Log;
        )
    } else {
        quote!(struct __Log #generics (__core::PhantomData<fn() -> #model_type>) #where_clause;)
    };
    let sites = quote! {
        static __SITES: __core::LogSites = #sites;
    };
    let has_fields = !logging.input_fields.is_empty() || !logging.output_fields.is_empty();
    let path_methods = has_fields.then(|| {
        quote!(
            use __core::{Path as _, WithoutFields as _};
        )
    });
    let input_root = root("input", &logging.input_fields);
    let output_root = root("output", &logging.output_fields);
    let input_values = values("input", &logging.input_fields);
    let output_values = values("output", &logging.output_fields);
    let generics = with_stacked_model(model);
    let (generics, ..) = generics.split_for_impl();
    quote_spanned! {name_span(model)=>
        #path_methods
        #sites
        #declaration
        #[automatically_derived]
        impl #generics __core::Recorder<__AnyModel> for __Log #type_generics #where_clause {
            fn sites(&self) -> &'static __core::LogSites {
                &__SITES
            }
            fn requested(&self, record: __core::Record<'_>, input: &__core::Input<#model_type>) {
                #input_root
                record.write(&[#(#input_values),*]);
            }
            fn created(&self, record: __core::Record<'_>, output: &__core::Output<#model_type>) {
                #output_root
                record.write(&[#(#output_values),*]);
            }
        }
    }
}

/// Generates the statement that reports an input or output without named fields, at the first field.
fn root(value: &str, fields: &[Field]) -> Option<TokenStream> {
    let span = fields.first()?.span.resolved_at(Span::call_site());
    // `values` reads the same name.
    let root = Ident::new(value, span);
    Some(quote_spanned!(span=> let #root = __core::at(#root).root();))
}

/// Generates the options `sample` and `slow`.
fn sampling(logging: &Logging) -> Option<TokenStream> {
    let sample = logging.sample.map(|rate| {
        let rate = Literal::f64_unsuffixed(rate);
        quote!(.sample(#rate))
    });
    let slow = logging.slow.map(|limit| {
        let (seconds, nanoseconds) = (limit.as_secs(), limit.subsec_nanos());
        let (seconds, nanoseconds) =
            (Literal::u64_unsuffixed(seconds), Literal::u32_unsuffixed(nanoseconds));
        quote!(.slow(__core::Duration::new(#seconds, #nanoseconds)))
    });
    (sample.is_some() || slow.is_some()).then(|| quote!(__core::Sampling::new() #sample #slow))
}

/// Adds the parameter `__AnyModel`, any model in the stack, to the type's own generics. The bound `Type: Infer` would
/// make the fields of its input unknown.
fn with_stacked_model(model: &Model<'_>) -> Generics {
    let model_type = checked_type(model);
    let mut generics = model.own_generics.clone();
    let parameter = quote_spanned!(name_span(model)=> __AnyModel: __core::ModelOf<#model_type>);
    generics.params.push(parse_quote!(#parameter));
    generics
}

fn listed(fields: &[Field]) -> impl Iterator<Item = String> {
    fields.iter().map(Field::listed)
}

/// Generates one expression per field.
///
/// An unknown field, or one that cannot be logged, is reported at the user's own token: the names of the path have
/// the span of that token, the calls around them the same span with the hygiene of the macro.
fn values<'a>(value: &'a str, fields: &'a [Field]) -> impl Iterator<Item = TokenStream> + 'a {
    fields.iter().map(move |field| {
        let span = field.span.resolved_at(Span::call_site());
        let root = Ident::new(value, span);
        let (first, rest) = field.path.split_first().expect("a path is never empty");
        let value = quote_spanned!(span=> &#root.#first);
        let shown = match rest.split_last() {
            None => shown(field, span, &value),
            Some((last, names)) => {
                // An `Option` on the way has no such fields: the methods step through it.
                let parent =
                    quote_spanned!(span=> __core::at(#value) #(.get(|value| &value.#names))*);
                let value = quote_spanned!(span=> &value.#last);
                match field.policy {
                    // The text of `redacted` does not depend on the value.
                    Some(Policy::Redacted) => {
                        shown(field, span, &quote_spanned!(span=> &#parent.get(|value| #value)))
                    }
                    _ => {
                        let shown = shown(field, span, &value);
                        quote_spanned!(span=> #parent.read(|value| #shown))
                    }
                }
            }
        };
        quote_spanned!(span=> &#shown)
    })
}

/// Generates the call that returns what the record shows of a value.
fn shown(field: &Field, span: Span, value: &TokenStream) -> TokenStream {
    match &field.policy {
        Some(policy) => policy.applied(span, value),
        None => quote_spanned!(span=> __core::field(#value)),
    }
}

/// Generates the functions that create the custom decorators and compose the stack.
fn stack(model: &Model<'_>) -> TokenStream {
    // A type that is no model is reported at its name.
    let span = name_span(model);
    let model_type = checked_type(model);
    let parameter = Ident::new("model", span.resolved_at(Span::mixed_site()));
    let mut custom = Vec::new();
    let mut composed =
        quote_spanned!(span=> __core::bare::<__core::Input<#model_type>, _>(#parameter));
    for (index, decorator) in model.decorators.iter().enumerate().rev() {
        let decorator = match decorator {
            Decorator::PredictionId => quote_spanned!(span=> __core::PredictionIdDecorator),
            Decorator::Logging(_) if model.generics.params.is_empty() => {
                quote_spanned!(span=> __core::LoggingDecorator::new(__Log))
            }
            Decorator::Logging(_) => {
                let (_, generics, _) = model.generics.split_for_impl();
                let generics = generics.as_turbofish();
                quote_spanned!(span=> __core::LoggingDecorator::new(__Log #generics (__core::PhantomData)))
            }
            // A static, because the decorator stores the counters of its model.
            Decorator::Metrics if has_types(&model.generics) => quote_spanned!(span=> {
                static METRICS: __core::DecoratorSlots = __core::DecoratorSlots::new();
                METRICS.get(#parameter, __core::MetricsDecorator::new)
            }),
            Decorator::Metrics => quote_spanned!(span=> {
                static METRICS: __core::MetricsDecorator = __core::MetricsDecorator::new();
                &METRICS
            }),
            Decorator::Custom(expression) => {
                let name = format_ident!("__decorator_{index}");
                custom.insert(0, custom_decorator(model, &name, expression));
                let model_argument = has_types(&model.generics).then_some(&parameter);
                quote_spanned!(span=> #name(#model_argument))
            }
        };
        composed = quote_spanned!(span=> __core::decorate(#decorator, #composed));
    }

    let mut generics = model.generics.clone();
    let (lifetime, captured) = if generics.params.is_empty() {
        (None, quote_spanned!(span=> '_))
    } else {
        let lifetime: Lifetime = parse_quote!('__m);
        generics.params.insert(0, parse_quote!(#lifetime));
        // `use` lists the parameters in the same form as the type does.
        let (_, captured, _) = generics.split_for_impl();
        (Some(lifetime), quote_spanned!(span=> use #captured))
    };
    let (generics, _, where_clause) = generics.split_for_impl();
    quote_spanned! {span=>
        #(#custom)*
        fn __stack #generics (
            #parameter: & #lifetime #model_type
        ) -> impl __core::ModelOf<#model_type> + #captured
        #where_clause
        {
            #composed
        }
    }
}

/// Generates a function around the user's expression.
///
/// Its return type is opaque and has the span of the expression, so that an expression that is not a
/// decorator is reported there and nowhere else.
fn custom_decorator(model: &Model<'_>, name: &Ident, expression: &TokenStream) -> TokenStream {
    let generics = with_stacked_model(model);
    let (generics, captured, where_clause) = generics.split_for_impl();
    let span = first_span(expression).resolved_at(Span::call_site());
    let hint = hint(expression);
    if !has_types(&model.generics) {
        return quote_spanned! {span=>
            fn #name #generics () -> impl __core::Decorator<__AnyModel> #where_clause {
                #hint
                static SLOT: __core::DecoratorSlot = __core::DecoratorSlot::new();
                SLOT.get(|| #expression)
            }
        };
    }
    let model_type = checked_type(model);
    let parameter = Ident::new("model", Span::mixed_site());
    quote_spanned! {span=>
        fn #name #generics (
            #parameter: &#model_type
        ) -> impl __core::Decorator<__AnyModel> + use #captured #where_clause {
            #hint
            static SLOTS: __core::DecoratorSlots = __core::DecoratorSlots::new();
            SLOTS.get(#parameter, || #expression)
        }
    }
}

/// Generates an item `logging` for `#[decorate(Logging)]`. If the user has no type `Logging`, rustc
/// suggests the similar name.
fn hint(expression: &TokenStream) -> Option<TokenStream> {
    let word: Ident = syn::parse2(expression.clone()).ok()?;
    let name = word.to_string().to_snake_case();
    let name = DECORATORS.contains(&name.as_str()).then(|| Ident::new(&name, word.span()))?;
    Some(quote! {
        #[allow(dead_code, non_upper_case_globals)]
        const #name: () = ();
    })
}

/// Generates the implementations of `MLModel` and `Described`.
fn implementation(model: &Model<'_>) -> TokenStream {
    let ident = model.ident;
    let (generics, type_generics, where_clause) = model.generics.split_for_impl();
    // A type that is not `Send + Sync` is an error in this bound, which satisfies the bound of the trait.
    let shared =
        is_checked(model).then(|| quote_spanned!(name_span(model)=> where __Model: __core::Shared));
    let checked_type = checked_type(model);
    let Model { display_name, qualified_name, description, version, .. } = model;
    let execution = Ident::new(model.execution, Span::call_site());
    let has_logging =
        model.decorators.iter().any(|decorator| matches!(decorator, Decorator::Logging(_)));
    let logged_fields = has_logging.then(|| {
        quote! {
            fn logged_fields() -> __core::LoggedFields {
                __SITES.logged_fields()
            }
        }
    });
    quote_spanned! {name_span(model)=>
        #[automatically_derived]
        impl #generics __core::MLModel for #ident #type_generics #where_clause #shared {
            type Input = __core::Input<#checked_type>;
            type Output = __core::Output<#checked_type>;
            fn metadata(&self) -> __core::Cow<'_, __core::ModelMetadata> {
                __core::keep::<Self>(__core::MLModel::metadata(&__stack(self)))
            }
            fn input_schema(&self) -> __core::Schema {
                __core::MLModel::input_schema(&__stack(self))
            }
            fn output_schema(&self) -> __core::Schema {
                __core::MLModel::output_schema(&__stack(self))
            }
            #[inline]
            fn call(
                &self,
                request: __core::Request<Self::Input>,
            ) -> __core::Answer<Self::Output> {
                __core::MLModel::call(&__stack(self), request)
            }
            fn call_batch(
                &self,
                requests: __core::Vec<__core::Request<Self::Input>>,
            ) -> __core::Vec<__core::Answer<Self::Output>> {
                __core::MLModel::call_batch(&__stack(self), requests)
            }
            fn takes_batches(&self) -> __core::bool {
                __core::MLModel::takes_batches(&__stack(self))
            }
            fn stack(&self) -> __core::StackInfo {
                __core::MLModel::stack(&__stack(self))
            }
        }
        #[automatically_derived]
        impl #generics __core::Described for #ident #type_generics #where_clause {
            type Model = #checked_type;
            fn into_model(self) -> Self::Model {
                self
            }
            const METADATA: &'static __core::ModelMetadata =
                &__core::metadata(#display_name, #qualified_name, #description, #version);
            const EXECUTION: __core::Execution = __core::Execution::#execution;
            #logged_fields
        }
    }
}

/// Returns the location of the model's name, with the hygiene of the macro.
fn name_span(model: &Model<'_>) -> Span {
    model.ident.span().resolved_at(Span::call_site())
}

fn model_type(model: &Model<'_>) -> TokenStream {
    let mut ident = model.ident.clone();
    ident.set_span(name_span(model));
    let (_, generics, _) = model.generics.split_for_impl();
    quote!(#ident #generics)
}

/// Returns whether the model has a check, and thus the alias `__Model`.
fn is_checked(model: &Model<'_>) -> bool {
    model.generics.params.is_empty()
}

/// Returns the type whose mistakes are reported in the check alone.
fn checked_type(model: &Model<'_>) -> TokenStream {
    if is_checked(model) { quote_spanned!(name_span(model)=> __Model) } else { model_type(model) }
}

fn first_span(tokens: &TokenStream) -> Span {
    tokens.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}

/// Returns whether one static serves several types of models.
fn has_types(generics: &Generics) -> bool {
    generics.params.iter().any(|parameter| !matches!(parameter, GenericParam::Lifetime(_)))
}
