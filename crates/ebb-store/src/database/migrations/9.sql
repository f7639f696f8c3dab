-- By whom else people are known: accounts with identity providers.
create table identity (
    issuer text not null,
    subject text not null, -- the provider's name of the account, never given to another
    person text not null references person on delete cascade,
    linked_at bigint not null, -- microseconds since 1970
    primary key (issuer, subject)
);
-- A person has one account with a provider.
create unique index identity_of_person on identity (person, issuer);
